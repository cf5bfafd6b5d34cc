"""Real images and real robots: the figures that the README states, within bounds.

Skipped with the reason where the data is not at hand.
"""

import json

import pytest

from mav_perception.cli import main
from mav_perception.datasets.mrclam import load_mrclam, mrclam_parameters
from mav_perception.evaluation.benchmark.comparison import compare
from mav_perception.evaluation.metrics.model_evaluation import measure
from mav_perception.io.labelled_images import folder_samples
from mav_perception.segmentation.segmenter import Segmenter


@pytest.mark.parametrize('model', ['drone', 'drone_int8', 'drone_mavnet'])
def test_the_shipped_model_reaches_the_iou_of_its_card(perch_drone_val, model):
    segmenter = Segmenter.load(model)
    figures = measure(segmenter, folder_samples(perch_drone_val, 2))
    assert figures['iou'][1] > 0.4
    assert figures['iou'][1] == pytest.approx(segmenter.card.figures['iou'][1], abs=0.01)
    assert figures['p_d'] > 0.8


def test_the_penstock_model_reaches_the_iou_of_its_card(penstock_val):
    segmenter = Segmenter.load('penstock')
    figures = measure(segmenter, folder_samples(penstock_val, 4))
    assert figures['mean_iou'] > 0.45
    assert figures['mean_iou'] == pytest.approx(segmenter.card.figures['mean_iou'], abs=0.01)


def test_mrclam6_without_clutter(mrclam6, tmp_path):
    path = tmp_path / 'figures.json'
    arguments = ['replay', 'mrclam', str(mrclam6), '--clutter', '0', '--start', 'known']
    arguments += ['--seconds', '250', '--output', str(tmp_path)]
    assert main([*arguments, '--json', str(path)]) == 0
    figures = json.loads(path.read_text())
    assert set(figures) == {
        'dead_reckoning', 'independent_ekfs', 'nearest_neighbour', 'jpda', 'cpdaf_one_gaussian',
        'cpdaf', 'labelled',
        'anees', 'seconds', 'update_ms_median',
    }  # fmt: skip
    assert figures['cpdaf'] < 1.15 * figures['labelled']
    assert figures['cpdaf'] < 0.15
    assert figures['dead_reckoning'] == pytest.approx(0.63, abs=0.05)


def test_landmarks_that_stand_still_do_not_mislead_the_robots(mrclam6):
    recording, parameters = load_mrclam(mrclam6, 0.3, 150.0), mrclam_parameters(0.3)
    scores = compare(recording, parameters, (0, 1, 3), names=('cpdaf', 'labelled'))
    assert scores['cpdaf'].team_shape < 1.5 * scores['labelled'].team_shape


def test_a_team_of_euroc_flights_finds_itself(euroc_mh, tmp_path):
    path = tmp_path / 'figures.json'
    arguments = ['replay', 'euroc', str(euroc_mh), '--start', 'unknown', '--vio', 'stereo']
    arguments += ['--output', str(tmp_path)]
    assert main([*arguments, '--json', str(path)]) == 0
    figures = json.loads(path.read_text())
    assert figures['wrong_commits'] == 0
    assert figures['start_seconds'] < 90.0
    assert figures['coverage'] > 0.5
    assert figures['cpdaf'] < 0.3
    assert figures['labelled'] < 0.15


def test_segment_writes_masks_overlays_and_detections(perch_drone_val, tmp_path):
    image = sorted((perch_drone_val / 'images').iterdir())[0]
    assert main(['segment', str(image), '--model', 'drone', '--output', str(tmp_path)]) == 0
    assert (tmp_path / 'masks' / f'{image.stem}.png').is_file()
    assert (tmp_path / 'overlays' / f'{image.stem}.jpg').is_file()
    header, *rows = (tmp_path / 'detections.csv').read_text().splitlines()
    assert header.startswith('image,class,column,row')
    assert all(row.startswith(f'{image.stem},drone,') for row in rows)
