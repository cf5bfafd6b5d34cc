"""From nameless detections to poses of a team, without ROS: the core in twenty lines.

Example: python examples/detections_to_poses.py
"""

import numpy as np

from mav_perception.localization.coupled_pda import CoupledPdaFilter
from mav_perception.localization.localizer import TeamLocalizer
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.team.team import Team
from mav_perception.types import OdometrySample, Sightings

start = np.array([[0.0, 0.0, 1.0, 0.0], [4.0, 0.5, 1.0, np.pi]])  # x, y, z, yaw in map
sigma = np.array([[0.0] * 4, [0.5, 0.5, 0.2, 0.2]])
forward = (CameraMount.forward(np.zeros(3), np.zeros(3)),)
team = Team(('red', 'blue'), start, sigma, (forward, forward))
localizer = TeamLocalizer(CoupledPdaFilter(team, FilterParameters()))
level = np.array([0.0, 0.0, 0.0, 1.0])
for step in range(20):
    stamp = (step + 1) * 100_000_000
    for name in team.names:  # both fly forward at 0.5 m/s, each says in its own frame
        localizer.add_odometry(name, OdometrySample(stamp, np.array([0.05 * step, 0, 0]), level))
    # Red sees somebody straight ahead, blue in truth; optical frame: z is forward.
    seen = np.array([[0.02, 0.0, 4.0 - 0.1 * step]])
    frame = Sightings(
        observer='red',
        stamp_ns=stamp,
        positions=seen,
        bearing_var=np.array([1e-4]),
        range_var=np.array([0.01]),
    )
    localizer.update(frame)
state = localizer.filter.predict(localizer.filter.stamp_ns)
for index, name in enumerate(team.names):
    x, y, z, yaw = state.mean[index]
    spread = np.sqrt(np.diag(state.block(index)))[:3]
    print(
        f'{name:5} x {x:5.2f}  y {y:5.2f}  z {z:5.2f} m  yaw {yaw:5.2f}  sigma {spread.round(2)}'
    )
