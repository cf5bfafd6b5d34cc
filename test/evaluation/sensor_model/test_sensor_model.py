"""A sensor model is recovered from detections that were drawn from a known one."""

import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from mav_perception import cli
from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.measurements import DetectionParameters
from mav_perception.errors import ConfigurationError, DataError
from mav_perception.evaluation.sensor_model.sensor_curves import draw_size_curve, sensor_curves
from mav_perception.evaluation.sensor_model.sensor_model import fit_sensor_model, pixel_angles
from mav_perception.evaluation.sensor_model.sensor_model_files import (
    load_checks,
    load_detection,
    load_sighting_noise,
    load_time_correlation,
)
from mav_perception.evaluation.sensor_model.sensor_nis import (
    bearing_nis,
    consistency,
    range_errors,
    range_nis,
)
from mav_perception.evaluation.sensor_model.sensor_report import figures
from mav_perception.evaluation.sensor_model.target_observations import (
    LabelledView,
    TargetObservations,
    observations_of,
)
from mav_perception.io.files import write_json
from mav_perception.localization.parameters import FilterParameters
from mav_perception.parameters import check_ranges
from mav_perception.simulation.flight.sensors import SightingNoise

CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
WIDTH, LOSS = 0.34, 2.0
TRUE_SCORE, FALSE_SCORE = (45.0, 5.0), (15.0, 5.0)


def drawn(count=3000, seed=0, outliers=0.02, loss=LOSS):
    """Draw detections of targets of a known width by a known, slightly wrong, detector."""
    rng = np.random.default_rng(seed)
    distance = np.exp(rng.uniform(np.log(1.5), np.log(9.0), count))
    pixel = rng.uniform([60, 60], [580, 450], (count, 2))
    true = 2.0 * np.arctan(WIDTH / 2.0 / distance) / pixel_angles(pixel, CAMERA)
    length = true * (1 + 0.08 * rng.standard_normal(count)) - loss
    length = np.maximum(length + np.sqrt(2.0) * 0.8 * rng.standard_normal(count), 3.0)
    spread = np.hypot(0.7, 0.03 * length)[:, None]
    found = pixel + spread * rng.standard_normal((count, 2))
    wrong = rng.random(count) < outliers
    found[wrong] += rng.uniform(10, 20, (wrong.sum(), 2))
    missed = rng.random(count) > 0.8
    found[missed], length[missed] = np.nan, np.nan
    frame = np.arange(count) // 3
    false = rng.uniform([0, 0], [640, 512], (count // 6, 2))
    score = np.where(missed, np.nan, rng.beta(*TRUE_SCORE, count))
    return TargetObservations(
        np.arange(-(-count // 3)), (512, 640), frame, np.full(count, -1), np.zeros(count), pixel,
        true, distance, np.zeros(count, bool), found, length,
        score, rng.integers(0, count // 3, len(false)), false, rng.beta(*FALSE_SCORE, len(false)),
    )  # fmt: skip


def test_the_numbers_that_made_the_detections_are_found():
    model = fit_sensor_model(drawn(), CAMERA)
    assert model.detection_probability == pytest.approx(0.8, abs=0.03)
    assert model.clutter_per_frame == pytest.approx(0.5, abs=0.01)
    assert model.centroid_sigma == pytest.approx(0.7, rel=0.15)
    assert model.centre_spread == pytest.approx(0.03, rel=0.3)
    assert model.target_width == pytest.approx(WIDTH, rel=0.02)
    assert model.edge_loss == pytest.approx(LOSS, abs=0.4)
    assert model.edge_sigma == pytest.approx(0.8, rel=0.25)
    assert model.true_score_mean == pytest.approx(0.9, abs=0.01)
    assert model.true_score_weight == pytest.approx(50.0, rel=0.15)
    assert model.false_score_mean == pytest.approx(0.75, abs=0.02)
    assert model.false_score_weight == pytest.approx(20.0, rel=0.2)
    assert model.width_sigma == pytest.approx(0.08, rel=0.2)


def test_a_network_that_paints_over_the_edges_does_not_bias_the_range():
    views = drawn(loss=-2.0)
    model = fit_sensor_model(views, CAMERA)
    assert model.edge_loss == pytest.approx(0.0, abs=0.01)
    assert np.median(range_errors(views, model, CAMERA)[0]) == pytest.approx(0.0, abs=0.03)


def test_innovations_on_other_images_are_chi_square():
    views = drawn()
    model = fit_sensor_model(views.of_frames(0, 2), CAMERA)
    other = views.of_frames(1, 2)
    for nis, dimension in (
        (bearing_nis(other, model), 2),
        (range_nis(other, model, CAMERA), 1),
    ):
        check = consistency(nis, dimension)
        low, high = check.bounds
        margin = high - low  # the model itself was fitted to as few
        assert low - margin < check.mean < high + margin
        assert check.inside == pytest.approx(0.95, abs=0.02)


def test_an_overconfident_model_is_found_out():
    views = drawn()
    model = fit_sensor_model(views, CAMERA)
    check = consistency(4.0 * range_nis(views, model, CAMERA), 1)
    assert check.mean > check.bounds[1]
    assert check.inside < 0.8


def test_without_distances_edges_are_compared_with_labels():
    views = drawn()
    blind = TargetObservations(
        **{**views.__dict__, 'distance': np.full_like(views.distance, np.nan)}
    )
    model = fit_sensor_model(blind, None)
    assert np.isnan([model.target_width, model.width_sigma, model.bearing]).all()
    assert model.edge_loss == pytest.approx(LOSS, abs=0.5)
    assert set(figures(blind, model, None)) >= {'p_d_by_size', 'by_place', 'bearing_nis'}


def test_a_detector_without_a_fault_stays_within_what_nodes_take(tmp_path):
    views = drawn(120)
    perfect = replace(
        views,
        found_pixel=views.pixel,
        found_width=views.width,
        false_frame=np.zeros(0, int),
        false_pixel=np.zeros((0, 2)),
        false_score=np.zeros(0),
    )
    fit_sensor_model(perfect, CAMERA).save(tmp_path / 'sensor.yaml')
    tree = yaml.safe_load((tmp_path / 'sensor.yaml').read_text())
    for node, kind in (('camera', DetectionParameters), ('localization', FilterParameters)):
        check_ranges(kind(**tree[f'/**/{node}_node']['ros__parameters']))
    noise = load_sighting_noise(tmp_path / 'sensor.yaml')
    assert 0.0 < noise.clutter_per_frame < 0.05
    assert 0.98 < noise.detection_probability < 1.0


def test_too_few_detections_say_so():
    with pytest.raises(DataError, match='30 are needed'):
        fit_sensor_model(drawn(24), CAMERA)


def test_the_file_is_read_by_nodes_and_by_the_simulator(tmp_path):
    path = tmp_path / 'model.yaml'
    model = fit_sensor_model(drawn(), CAMERA)
    model.save(path)
    tree = yaml.safe_load(path.read_text())
    assert tree['/**/detection_node']['ros__parameters']['edge_loss'] > 0.0
    noise = load_sighting_noise(path)
    assert noise.detection_probability == pytest.approx(model.detection_probability, rel=1e-3)
    assert noise.max_range == SightingNoise().max_range
    assert load_detection(path).edge_loss == pytest.approx(model.edge_loss, rel=1e-3)
    assert load_time_correlation(path) == {}  # single images tell nothing of time
    replace(model, error_correlation=0.8).save(path)
    assert load_time_correlation(path) == {'error_correlation': 0.8}
    path.write_text('a: 1')
    with pytest.raises(ConfigurationError, match='fit-sensor-model'):
        load_sighting_noise(path)


@pytest.mark.flight
def test_real_images_give_a_model(perch_drone_val, tmp_path):
    command = ['fit-sensor-model', '--model', 'drone', '--data', str(perch_drone_val)]
    output = tmp_path / 'model.yaml'
    report, plot = tmp_path / 'model.json', tmp_path / 'model.png'
    command += ['--output', str(output), '--plot', str(plot)]
    assert cli.main(command) == 0
    figures = json.loads(report.read_text())
    low, high = figures['bearing_nis']['bounds_95']
    assert 0.8 * low < figures['bearing_nis']['mean'] < 1.3 * high
    assert plot.stat().st_size > 10_000
    assert load_sighting_noise(output).detection_probability > 0.7


def test_the_checks_lie_beside_the_model_and_are_drawn(tmp_path):
    path = tmp_path / 'model.yaml'
    views = drawn()
    model = fit_sensor_model(views, CAMERA)
    model.save(path)
    assert load_checks(path) is None
    assert len(sensor_curves(path).axes) == 1
    write_json(path.with_suffix('.json'), figures(views, model, CAMERA))
    checks = json.loads(path.with_suffix('.json').read_text())
    figure = sensor_curves(path)
    assert len(figure.axes) == 3
    drawn_rates = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(drawn_rates, [row['p_d'] for row in checks['p_d_by_size']])
    assert 'range NIS' in figure.get_suptitle()
    path.with_suffix('.json').write_text('{}')
    with pytest.raises(DataError, match='no checks'):
        sensor_curves(path)


@pytest.mark.flight
def test_simulated_flights_give_a_model_with_ranges(tmp_path):
    pytest.importorskip('panda3d', reason='rendering needs the `sim` extra')
    report = tmp_path / 'model.json'
    command = ['fit-sensor-model', '--model', 'sim', '--flights', '1']
    assert cli.main([*command, '--output', str(tmp_path / 'model.yaml')]) == 0
    figures = json.loads(report.read_text())
    assert 0.2 < figures['target_width'] < 0.6
    assert figures['range_nis']['inside_95_gate'] > 0.8


def test_a_width_that_was_told_stays_where_no_distance_is_known():
    views = replace(drawn(), distance=np.full(3000, np.nan))
    assert fit_sensor_model(views, CAMERA, 0.4).target_width == 0.4
    assert np.isnan(fit_sensor_model(views, CAMERA).target_width)


def test_sizes_at_which_nothing_or_everything_is_found_are_drawn():
    from matplotlib import pyplot

    figure, axis = pyplot.subplots()
    rows = [
        {'from_px': 10.0 * 2**k, 'to_px': 20.0 * 2**k, 'targets': 10, 'p_d': p_d}
        for k, p_d in enumerate((0.0, 0.5, 1.0))
    ]
    draw_size_curve(axis, rows)
    pyplot.close(figure)


@pytest.mark.parametrize('sizes', [[(512, 640), (256, 320)], [(512, 640), (512, 641)]])
def test_images_of_several_sizes_or_of_another_camera_are_refused(sizes):
    views = [
        LabelledView(image=np.zeros(s, np.uint8), labels=np.zeros(s, np.uint8)) for s in sizes
    ]
    with pytest.raises(DataError, match='images of one camera'):
        observations_of(((view, [], []) for view in views), None)
    with pytest.raises(DataError, match='calibrate it at the size'):
        observations_of(((view, [], []) for view in views), CAMERA)
