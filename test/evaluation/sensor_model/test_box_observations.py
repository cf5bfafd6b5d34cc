"""The sensor model of a detector of boxes, learned through the command, gives back its noise."""

import json

import numpy as np
import pytest
import yaml

from mav_perception.cameras.files import save_camera
from mav_perception.cameras.models import PinholeCamera
from mav_perception.cli import main

CAMERA = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
IMAGES, FOUND, FALSE, SHIFT = 300, 0.8, 0.25, 1.5


@pytest.fixture
def files(tmp_path):
    """Write labels of one box an image, and a detector of known rates and noise."""
    rng = np.random.default_rng(4)
    images = [{'id': k, 'file_name': f'{k:03d}.png'} for k in range(IMAGES)]
    labels, results = [], []
    for k in range(IMAGES):
        width = rng.uniform(20.0, 60.0)
        corner = rng.uniform([80.0, 80.0], [480.0, 380.0])
        labels.append({'image_id': k, 'bbox': [*corner, width, 0.4 * width]})
        if rng.random() < FOUND:
            moved = corner + rng.normal(0.0, SHIFT, 2)
            box = [*moved, width, 0.4 * width]
            results.append({'image_id': k, 'bbox': box, 'score': rng.uniform(0.7, 0.9)})
        if rng.random() < FALSE:
            box = [5.0 + rng.uniform(0, 40), 420.0, 30.0, 12.0]
            results.append({'image_id': k, 'bbox': box, 'score': rng.uniform(0.3, 0.6)})
    (tmp_path / 'labels.json').write_text(json.dumps({'images': images, 'annotations': labels}))
    (tmp_path / 'results.json').write_text(json.dumps(results))
    save_camera(CAMERA, tmp_path / 'camera.yaml')
    return tmp_path


def fit(files, *more):
    given = ['--boxes', str(files / 'results.json'), '--data', str(files / 'labels.json')]
    return main(['fit-sensor-model', *given, '--output', str(files / 'sensor.yaml'), *more])


def test_rates_noise_and_scores_of_the_detector_are_found(files):
    assert fit(files, '--camera', str(files / 'camera.yaml')) == 0
    tree = yaml.safe_load((files / 'sensor.yaml').read_text())
    filter_values = tree['/**/localization_node']['ros__parameters']
    assert filter_values['detection_probability'] == pytest.approx(FOUND, abs=0.08)
    assert filter_values['clutter_per_frame'] == pytest.approx(FALSE, abs=0.08)
    assert filter_values['true_score_mean'] == pytest.approx(0.8, abs=0.02)
    blobs = tree['/**/detection_node']['ros__parameters']
    assert tree['/**/camera_node']['ros__parameters'] == blobs
    assert blobs['centroid_sigma'] == pytest.approx(SHIFT, rel=0.3)


def test_doubtful_boxes_do_not_count_at_a_least_score(files):
    assert fit(files, '--camera', str(files / 'camera.yaml'), '--min-score', '0.65') == 0
    tree = yaml.safe_load((files / 'sensor.yaml').read_text())
    values = tree['/**/localization_node']['ros__parameters']
    assert 0.0 < values['clutter_per_frame'] < 0.01
    assert tree['/**/detection_node']['ros__parameters']['min_score'] == 0.65


def test_what_boxes_need_is_said(files, capsys):
    assert fit(files) == 2
    assert '--camera' in capsys.readouterr().err
