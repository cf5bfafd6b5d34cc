"""What the joint filter did and lacks, as diagnostics."""

from __future__ import annotations

from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.update.update import UpdateReport
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
    names = localizer.team.names
    silent = [names[i] for i in localizer.filter.odometry.silent()]
    if silent:
        diagnostics.problem('waiting', f'Waiting for the odometry of {", ".join(silent)}.')
    for name, status in zip(names, localizer.status(), strict=True):
        if not status.placed and name not in silent:
            diagnostics.problem(f'place of {name}', f'{name} has no pose: {status.text}.')
    state = localizer.filter.state
    if state is not None:
        for drone, name in enumerate(names):
            newest = localizer.filter.odometry.newest_ns(drone)
            age = 'none' if newest is None else f'{seconds(now_ns - newest):.2f}'
            diagnostics.set(f'{name} odometry age s', age)
        for name, mounts in zip(names, localizer.team.mounts, strict=True):
            for mount in mounts:
                camera, _ = localizer.team.camera(name, mount.name)
                rates, label = state.rates, f'{name} {mount.name}'.strip()
                chance = rates.detection_probability(camera, localizer.parameters)
                false = rates.clutter_per_frame(camera, localizer.parameters)
                diagnostics.set(f'{label} P_D', f'{chance:.2f}')
                diagnostics.set(f'{label} false sightings a frame', f'{false:.2f}')
        diagnostics.set('static objects', len(state.objects))
        diagnostics.set('joint hypotheses', len(state.hypotheses))
