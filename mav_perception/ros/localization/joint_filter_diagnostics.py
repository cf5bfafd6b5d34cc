"""What the joint filter did and lacks, as diagnostics."""

from __future__ import annotations

from collections.abc import Mapping

from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameter_file import parameter_words
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.update.report import UpdateReport
from mav_perception.ros.localization.frame_fates import FrameFates
from mav_perception.ros.runtime.diagnostics import NodeDiagnostics
from mav_perception.types import seconds

CUT_SHARE = 0.05
"""Weight of events or hypotheses in a frame that may be cut before anybody has to know."""


def describe_update(
    diagnostics: NodeDiagnostics, report: UpdateReport, milliseconds: float
) -> None:
    """Count what a frame did to the filter."""
    diagnostics.count('frames')
    diagnostics.count('sightings outside every gate', report.outside_gate)
    diagnostics.set('update ms', f'{milliseconds:.2f}')
    diagnostics.set('joint association events', report.events)
    if report.nis_size:
        diagnostics.set('NIS per dof', f'{report.nis / report.nis_size:.2f}')
    if report.dropped > CUT_SHARE:
        diagnostics.problem(
            'events_cut',
            f'{100 * report.dropped:.0f} % of the association weight was cut: raise max_events '
            'and max_hypotheses, or lower clutter_per_frame and gate_probability.',
        )


def describe_team(diagnostics: NodeDiagnostics, localizer: TeamLocalizer, now_ns: int) -> None:
    """Say of every drone how old its odometry is and why it has no pose; and what is learned."""
    names, newest = localizer.team.names, localizer.newest_odometry()
    silent = [name for name, stamp in zip(names, newest, strict=True) if stamp is None]
    if silent:
        diagnostics.problem('waiting', f'Waiting for the odometry of {", ".join(silent)}.')
    for name, status in zip(names, localizer.status(), strict=True):
        if not status.localized and name not in silent:
            diagnostics.problem(f'pose of {name}', f'{name} has no pose: {status.text}.')
    if localizer.team_state() is None:
        return
    for name, stamp in zip(names, newest, strict=True):
        age = 'none' if stamp is None else f'{seconds(now_ns - stamp):.2f}'
        diagnostics.set(f'{name} odometry age s', age)
    for name, scale in zip(names, localizer.drift_scales(), strict=True):
        diagnostics.set(f'{name} odometry drift, times the parameters', f'{scale:.2f}')
    for rates in localizer.camera_rates():
        label = f'{rates.drone} {rates.camera}'.strip()
        diagnostics.set(f'{label} P_D', f'{rates.detection_probability:.2f}')
        diagnostics.set(f'{label} false sightings a frame', f'{rates.clutter_per_frame:.2f}')
    diagnostics.set('static objects', len(localizer.object_positions()))
    diagnostics.set('joint hypotheses', localizer.hypothesis_count())


def describe_frames(diagnostics: NodeDiagnostics, fates: Mapping[str, FrameFates]) -> None:
    """Say what became of the frames of every drone."""
    for drone, counts in fates.items():
        for fate, number in (
            ('arrived', counts.arrived),
            ('used', counts.used),
            ('without a pose', counts.without_pose),
            ('refused', counts.refused),
            ('waiting', counts.waiting),
        ):
            diagnostics.set(f'{drone} frames {fate}', number)
        if counts.reason:
            diagnostics.set(f'{drone} frame refused', counts.reason)


def describe_parameters(diagnostics: NodeDiagnostics, parameters: FilterParameters) -> None:
    """Say what a report has to know of the parameters."""
    diagnostics.set('parameters', parameter_words(parameters))
    diagnostics.set('error correlation s', parameters.error_correlation)
