"""Measurements + odometry -> joint state: the coupled probabilistic data association filter."""

from typing import TYPE_CHECKING

from mav_perception.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from mav_perception.localization.coupled_pda import CoupledPdaFilter
    from mav_perception.localization.localizer import TeamLocalizer
    from mav_perception.localization.parameters import FilterParameters
    from mav_perception.localization.team.camera_mount import CameraMount
    from mav_perception.localization.team.team import Team
    from mav_perception.localization.update.report import UpdateReport

__all__ = [
    'CameraMount',
    'CoupledPdaFilter',
    'FilterParameters',
    'Team',
    'TeamLocalizer',
    'UpdateReport',
]

__getattr__ = lazy_exports(
    __name__,
    {
        'CameraMount': 'team.camera_mount',
        'CoupledPdaFilter': 'coupled_pda',
        'FilterParameters': 'parameters',
        'Team': 'team.team',
        'TeamLocalizer': 'localizer',
        'UpdateReport': 'update.report',
    },
)
