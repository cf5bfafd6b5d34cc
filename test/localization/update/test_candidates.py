"""The first look at candidates leaves nobody out who could have given a sighting."""

from dataclasses import replace

import numpy as np

from mav_perception.localization.association.gating import innovation_likelihood, validation_gate
from mav_perception.localization.measurement.camera_scan import CameraScan
from mav_perception.localization.measurement.observation import (
    innovations,
    measurement_noise,
    predict_sightings,
)
from mav_perception.localization.parameters import FilterParameters
from mav_perception.localization.state import initial_state
from mav_perception.localization.team.camera_mount import CameraMount
from mav_perception.localization.update.candidates import candidates_in_view
from mav_perception.recordings.recording import UNIX_BEGIN_NS
from mav_perception.types import Sightings

PARAMETERS = FilterParameters()
FORWARD = CameraMount.forward(np.zeros(3), np.zeros(3))


def team_at(start, sigma):
    state = initial_state(UNIX_BEGIN_NS, start, sigma, len(start))
    count = len(start)
    return replace(state, active=np.ones(count, bool), pending=np.zeros(count, bool))


def scan_of(optical):
    optical = np.reshape(optical, (-1, 3))
    count = len(optical)
    sightings = Sightings(
        observer='mav1', stamp_ns=UNIX_BEGIN_NS, positions=optical,
        bearing_var=np.full(count, 1e-3), range_var=np.full(count, 0.04),
    )  # fmt: skip
    return CameraScan(
        sightings=sightings, observer=0, roll_pitch=np.zeros(2), mount=FORWARD, camera=0
    )


def test_who_is_surely_out_of_view_is_no_candidate():
    start = np.array(
        [[0, 0, 0, 0], [4, 0, 0, 0], [-4, 0, 0, 0], [40, 0, 0, 0], [1, -4, 0, 0]], float
    )
    sure = candidates_in_view(team_at(start, np.full((5, 4), 0.05)), scan_of([]), PARAMETERS)
    np.testing.assert_array_equal(sure.index, [1])
    np.testing.assert_allclose(sure.view_probability, 1.0, atol=1e-3)
    vague = np.full((5, 4), 0.05)
    vague[4, :2] = 3.0
    unsure = candidates_in_view(team_at(start, vague), scan_of([]), PARAMETERS)
    np.testing.assert_array_equal(unsure.index, [1, 4])
    assert not unsure.near.any()


def test_nobody_with_a_sighting_in_the_gate_is_left_out():
    rng = np.random.default_rng(0)
    gated = 0
    for _ in range(300):
        start = np.zeros((4, 4))
        start[1:] = rng.uniform([0.5, -4, -2, -3], [9, 4, 2, 3], (3, 4))
        sigma = np.exp(rng.uniform(np.log(0.02), np.log(1.0), (4, 4)))
        state, scan = team_at(start, sigma), scan_of(rng.uniform([-4, -2, 0.5], [4, 2, 9], (6, 3)))
        found = candidates_in_view(state, scan, PARAMETERS)
        h = state.hypotheses
        every = predict_sightings(
            h.means, h.covariances, 0, found.columns, scan.roll_pitch, scan.mount
        )
        squared, _ = innovation_likelihood(
            innovations(every, scan.sightings), every.predicted_covariance(h.covariances),
            measurement_noise(scan.sightings),
        )  # fmt: skip
        inside = validation_gate(squared, PARAMETERS.gate_probability).any(axis=(0, 2))
        gated += int(inside.sum())
        assert not (inside & ~found.near).any()
    assert gated > 100
