"""A whole simulated flight with images: rendered, segmented and measured as on board.

Nothing of the truth is in the chain; it only labels the sightings afterwards, for rivals that are
told who is who, and scores the result.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from mav_perception.detection.measurements import DetectionParameters, measure_mask
from mav_perception.evaluation.recording import LabelledFrame, Recording
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.simulation.flight import fly
from mav_perception.simulation.scenario import Scenario
from mav_perception.simulation.world import SimulatedWorld
from mav_perception.types import FloatArray, IntArray, Sightings

SAME = np.radians(4.0)
"""A sighting this near to the direction of a drone is a sighting of that drone."""


def fly_with_images(
    scenario: Scenario, segmenter: Segmenter, detection: DetectionParameters
) -> Recording:
    """Simulate a flight whose sightings come from rendered images.

    Args:
        scenario: what is flown; its statistical detector is not used.
        segmenter: the network.
        detection: how blobs become measurements.
    """
    world, frames = SimulatedWorld(scenario), []
    cameras = [settings.intrinsics for settings in scenario.cameras]
    for index in range(1, len(world.times)):
        for shot in world.tick(index).shots:
            image, _, targets = world.render_with_truth(shot)
            segmenter.reset()  # the cameras take turns
            sightings = measure_mask(
                segmenter.segment(image),
                cameras[shot.camera],
                detection,
                scenario.names[shot.drone],
                shot.stamp_ns,
            )
            sightings = replace(sightings, camera=scenario.cameras[shot.camera].name)
            others = np.delete(np.arange(scenario.drones), shot.drone)
            frames.append(LabelledFrame(sightings, identify(sightings, targets, others)))
    return replace(fly(scenario), frames=tuple(frames))


def identify(sightings: Sightings, targets: FloatArray, identities: IntArray) -> IntArray:
    """Return the drone that each of m sightings shows, -1 for a false one.

    Args:
        sightings: of one frame.
        targets: (T, 3) true positions of the other drones, optical frame.
        identities: (T,) their drone indices.
    """
    labels = np.full(len(sightings), -1, np.int64)
    if len(sightings) and len(targets):
        seen = sightings.positions / np.linalg.norm(sightings.positions, axis=1)[:, None]
        true = targets / np.linalg.norm(targets, axis=1)[:, None]
        angle = np.arccos(np.clip(seen @ true.T, -1.0, 1.0))
        rows, columns = linear_sum_assignment(np.minimum(angle, 2.0 * SAME))
        near = angle[rows, columns] < SAME
        labels[rows[near]] = identities[columns[near]]
    return labels
