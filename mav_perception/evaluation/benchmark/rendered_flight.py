"""A whole simulated flight with images: rendered, segmented and measured as on board.

Nothing of the truth is in the chain; it only labels the sightings afterwards, for baselines
that are told who is who, and scores the result.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mav_perception.detection.measurements import DetectionParameters, measure_mask
from mav_perception.recordings.recording import UNIX_BEGIN_NS, LabelledFrame, Recording
from mav_perception.recordings.truth_association import identify
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.simulation.flight.flight import fly
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.world import SimulatedWorld


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
            frames.append(LabelledFrame(sightings, identify(sightings.positions, targets, others)))
    flown = replace(fly(scenario, begin_ns=0), frames=tuple(frames))
    return flown.shifted(UNIX_BEGIN_NS)
