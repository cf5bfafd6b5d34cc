"""How a benchmark flies a scenario: with its statistical detector, a fitted one, or images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mav_perception.detection.measurements import DetectionParameters
from mav_perception.evaluation.benchmark.baselines import BASELINES, STARTED_BY_SEARCH
from mav_perception.localization.parameter_file import load_parameters
from mav_perception.localization.parameters import FilterParameters
from mav_perception.recordings.recording import Recording
from mav_perception.simulation.flight.flight import fly, matching_parameters
from mav_perception.simulation.flight.scenario import Scenario
from mav_perception.simulation.flight.sensors import SightingNoise

FLOWN = (
    'visible_probability', 'detection_correlation', 'error_correlation', 'max_hypotheses',
    'max_objects', 'object_size_sigma', 'start_margin',
)  # fmt: skip
"""What images need and a statistical detector does not: detections and errors of blobs are
correlated, and false ones are of things of any size."""


@dataclass(frozen=True)
class SensorSetup:
    """The sensors of a benchmark, in place of the scenario's statistical detector.

    Attributes:
        noise: statistics that the filter is told, and that sightings are drawn from; None for
            those of the scenario.
        model: network that segments rendered images instead; empty for none.
        detection: how its blobs become measurements.
        in_time: parameters of the filter, how long misses and errors of the network stay.
    """

    noise: SightingNoise | None = None
    model: str = ''
    detection: DetectionParameters = DetectionParameters()
    in_time: Mapping[str, float] = field(default_factory=dict)

    def fly(self, scenario: Scenario) -> tuple[Recording, FilterParameters]:
        """Fly a scenario; return what happened and what the filter is told."""
        if self.noise is not None:
            scenario = replace(scenario, sighting_noise=self.noise)
        parameters = matching_parameters(scenario)
        if not self.model:
            return fly(scenario), parameters
        from mav_perception.evaluation.benchmark.rendered_flight import fly_with_images
        from mav_perception.segmentation.segmenter import Segmenter

        segmenter = Segmenter.load(self.model, 1)
        parameters = replace(parameters, **{**as_flown(), **self.in_time})
        return fly_with_images(scenario, segmenter, self.detection), parameters


def as_flown() -> dict[str, Any]:
    """Return what `config/localization.yaml` says besides the sensor model and the drift."""
    parameters = load_parameters()
    return {name: getattr(parameters, name) for name in FLOWN}


def baselines_for(scenario: Scenario) -> tuple[str, ...]:
    """Return the filters that can play a scenario: not all can search for drones."""
    return STARTED_BY_SEARCH if scenario.unknown_starts else tuple(BASELINES)
