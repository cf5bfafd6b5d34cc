"""Localize teams of micro aerial vehicles from cameras and odometry, with no names and no GPS.

What a user of the core needs is exported here, and imported only when it is used.
"""

from typing import TYPE_CHECKING

from mav_perception.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from mav_perception.cameras.models import PinholeCamera
    from mav_perception.detection.blobs import find_detections
    from mav_perception.detection.measurements import DetectionParameters, measure_mask
    from mav_perception.localization.coupled_pda import CoupledPdaFilter
    from mav_perception.localization.localizer import TeamLocalizer
    from mav_perception.localization.parameters import FilterParameters
    from mav_perception.localization.team.camera_mount import CameraMount
    from mav_perception.localization.team.team import Team
    from mav_perception.localization.update.report import UpdateReport
    from mav_perception.segmentation.segmenter import Segmenter
    from mav_perception.types import Detection, LabelMask, OdometrySample, Sightings, TeamState

__version__ = '0.2.0'

__all__ = [
    'CameraMount',
    'CoupledPdaFilter',
    'Detection',
    'DetectionParameters',
    'FilterParameters',
    'LabelMask',
    'OdometrySample',
    'PinholeCamera',
    'Segmenter',
    'Sightings',
    'Team',
    'TeamLocalizer',
    'TeamState',
    'UpdateReport',
    'find_detections',
    'measure_mask',
]

_LOCALIZATION = (
    'CameraMount', 'CoupledPdaFilter', 'FilterParameters', 'Team', 'TeamLocalizer', 'UpdateReport',
)  # fmt: skip
_TYPES = ('Detection', 'LabelMask', 'OdometrySample', 'Sightings', 'TeamState')

__getattr__ = lazy_exports(
    __name__,
    {
        'DetectionParameters': 'detection.measurements',
        'PinholeCamera': 'cameras.models',
        'Segmenter': 'segmentation.segmenter',
        'find_detections': 'detection.blobs',
        'measure_mask': 'detection.measurements',
        **dict.fromkeys(_LOCALIZATION, 'localization'),
        **dict.fromkeys(_TYPES, 'types'),
    },
)
