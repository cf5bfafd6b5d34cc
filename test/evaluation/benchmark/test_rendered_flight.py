"""A flight with images: what the network saw, labelled by truth."""

import numpy as np
import pytest

pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.evaluation.benchmark.rendered_flight import fly_with_images
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.simulation.flight.scenario import Scenario


def test_sightings_of_images_lie_where_the_drones_are():
    scenario = Scenario(drones=3, duration=6.0, frame_rate=2.0, odometry_rate=10.0, seed=3)
    segmenter = Segmenter.load('sim', 2, 'onnxruntime')
    recording = fly_with_images(scenario, segmenter, DetectionParameters())
    labels = np.concatenate([f.labels for f in recording.frames])
    assert len(recording.frames) == 36
    assert (labels >= 0).sum() > 20
    for frame in recording.frames:
        observer = scenario.names.index(frame.sightings.observer)
        named = frame.labels[frame.labels >= 0]
        assert observer not in named
        assert len(set(named)) == len(named)
