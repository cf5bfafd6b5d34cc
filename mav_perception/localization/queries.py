"""What may be asked of a running joint filter; nothing here changes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.measurement.camera_scan import CameraScan, camera_scan
from mav_perception.localization.measurement.sighting_positions import sighting_positions
from mav_perception.localization.odometry.rows import OdometryRows
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.team import Team
from mav_perception.localization.update.report import UpdateReport
from mav_perception.types import FloatArray, Sightings, TeamState


@dataclass(frozen=True)
class DronePose:
    """Where a localized drone is at one instant.

    Attributes:
        stamp_ns: time of validity.
        mean: (4,) x, y, z, yaw in map.
        covariance: (4, 4).
        odometry: its odometry row at that time, with roll and pitch.
    """

    stamp_ns: int
    mean: FloatArray
    covariance: FloatArray
    odometry: OdometryRows


@dataclass(frozen=True)
class CameraRates:
    """What was learned of one camera: P_D and mean false sightings in a frame."""

    drone: str
    camera: str
    detection_probability: float
    clutter_per_frame: float


@dataclass(frozen=True)
class DroneStatus:
    """What is known of a drone's pose.

    Attributes:
        localized: its pose may be published.
        text: what is missing if it is not localized, for a person.
    """

    localized: bool
    text: str


class FilterQueries:
    """Answers about the team, from a joint filter that somebody else feeds."""

    def __init__(self, joint_filter: CoupledPdaFilter) -> None:
        """Ask one joint filter."""
        self.filter = joint_filter

    @property
    def team(self) -> Team:
        """Return who flies."""
        return self.filter.team

    @property
    def parameters(self) -> FilterParameters:
        """Return the parameters of the filter as they are now."""
        return self.filter.parameters

    def sighting_positions(self, report: UpdateReport) -> FloatArray:
        """Return where the sightings of a frame are in map (m, 3), by the observer's pose."""
        scan = self._scan(report.sightings)
        pose = self.filter.predict(report.sightings.stamp_ns).mean[scan.observer]
        return sighting_positions(pose, scan, np.arange(len(report.sightings)))[0]

    def newest_odometry(self) -> tuple[int | None, ...]:
        """Return the stamp of the newest odometry of every drone, None before its first."""
        return tuple(history.newest_ns for history in self.filter.odometry.histories)

    def team_state(self) -> TeamState | None:
        """Return the poses of the team after the last frame, None before there are any."""
        return None if self.filter.state is None else self.filter.state.team

    def object_positions(self) -> FloatArray:
        """Return the positions (O, 3) in map of static objects that are likely there."""
        state = self.filter.state
        return np.zeros((0, 3)) if state is None else state.object_positions[state.confirmed]

    def hypothesis_count(self) -> int:
        """Return how many joint hypotheses are carried."""
        return 0 if self.filter.state is None else len(self.filter.state.hypotheses)

    def drift_scales(self) -> FloatArray:
        """Return (N,) how many times the drift of each VIO is that of the parameters."""
        just_met = np.zeros(len(self.team.names))
        return self.filter.require_state().drift.applied(self.parameters, just_met)

    def camera_rates(self) -> tuple[CameraRates, ...]:
        """Return what was learned of every camera of the team."""
        rates = self.filter.require_state().rates
        result = []
        for name, mounts in zip(self.team.names, self.team.mounts, strict=True):
            for mount in mounts:
                camera, _ = self.team.camera(name, mount.name)
                detected = rates.detection_probability(camera, self.parameters)
                clutter = rates.clutter_per_frame(camera, self.parameters)
                result.append(CameraRates(name, mount.name, detected, clutter))
        return tuple(result)

    def _scan(self, sightings: Sightings) -> CameraScan:
        """Join sightings with their camera, and with the attitude that odometry tells."""
        observer = self.team.index(sightings.observer)
        row = self.filter.odometry.histories[observer].at(sightings.stamp_ns)
        return camera_scan(self.team, sightings, row.roll_pitch)
