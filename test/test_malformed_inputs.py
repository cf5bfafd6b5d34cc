"""Whatever is in a file, a reader reads it or says what is wrong: never anything else."""

import json
import re
import runpy
import shutil
import tarfile
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mav_perception.cameras.files import load_camera
from mav_perception.datasets.mrclam import load_mrclam
from mav_perception.errors import MavPerceptionError
from mav_perception.evaluation.report.run_record import load_run
from mav_perception.io.bags import BagReader
from mav_perception.io.boxes import read_boxes
from mav_perception.io.images import read_image
from mav_perception.io.labelled_images import folder_samples
from mav_perception.io.tum import load_tum
from mav_perception.localization.parameter_file import load_parameters
from mav_perception.localization.team.team import Team
from mav_perception.localization.team.team_file import load_team, team_from_entries
from mav_perception.segmentation.model_card import load_card
from mav_perception.simulation.flight.scenario_files import load_scenario
from mav_perception.training.configuration import load_training_configuration

REPOSITORY = Path(__file__).parents[1]

EXAMPLES = 200

TOKENS = [
    b'nan', b'inf', b'-inf', b'1e400', b'-1', b'0', b'', b'""', b'[]', b'{}', b'null', b'true',
    b'\x00', b'\xef\xbb\xbf', b'\xff\xfe', b'9' * 40, b'abc', b'1970-01-01', b'.', b',', b':',
    b'\n', b'\t', b'- ', b'&a', b'*a', b'!!python/object:os.system', b'{{', b'0x1F', b'1_000',
    b'\xc3\x28', b'1.5.2', b'[1, 2', b'~', b'1e-400', b'-0', b'180', b'#', b'../..', b'/dev/null',
]  # fmt: skip


@st.composite
def damage(draw):
    """Return a function from good bytes to bad ones."""
    places = draw(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=3))
    kinds = [draw(st.sampled_from(['word', 'cut', 'insert', 'byte', 'twice'])) for _ in places]
    tokens = [draw(st.sampled_from(TOKENS)) for _ in places]

    def damaged(good):
        data = good
        for place, kind, token in zip(places, kinds, tokens, strict=True):
            at = int(place * len(data))
            words = list(re.finditer(rb'[\w.+-]+', data[: 1 << 16])) if kind == 'word' else []
            if words:
                word = words[int(place * (len(words) - 1))]
                data = data[: word.start()] + token + data[word.end() :]
            elif kind == 'cut':
                data = data[:at]
            elif kind == 'byte':
                data = data[:at] + bytes([int(255 * place)]) + data[at + 1 :]
            elif kind == 'twice':
                data = data[:at] + data[at // 2 :]
            else:
                data = data[:at] + token + data[at:]
        return data

    return damaged


def tum(folder):
    rows = np.tile([0.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0, 1.0], (6, 1))
    rows[:, 0] = 1_800_000_000 + np.arange(6)
    np.savetxt(folder / 'a.tum', rows, header='time x y z qx qy qz qw', fmt='%.6f')
    return folder / 'a.tum', lambda file: load_tum(file)


def euroc(folder):
    lines = ['#timestamp [ns], p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_w [], q_x [], q_y []']
    lines += [f'{10**18 + k * 10**7},1.0,2.0,3.0,1.0,0.0,0.0,0.0' for k in range(6)]
    (folder / 'data.csv').write_text('\n'.join(lines))
    return folder / 'data.csv', lambda file: load_tum(file)


def mrclam(folder):
    rng = np.random.default_rng(0)
    np.savetxt(folder / 'Barcodes.dat', np.column_stack([np.arange(1, 21), np.arange(20)]))
    for robot in range(1, 6):
        stamps = 1_248_444_189.0 + 0.1 * np.arange(20)
        for kind, columns in (('Odometry', 2), ('Measurement', 3), ('Groundtruth', 3)):
            table = np.column_stack([stamps, rng.uniform(0.5, 3.0, (20, columns))])
            np.savetxt(folder / f'Robot{robot}_{kind}.dat', table, fmt='%.4f')
    return folder / 'Robot2_Measurement.dat', lambda file: load_mrclam(file.parent, 0.3)


def team(folder):
    shutil.copyfile(REPOSITORY / 'config' / 'team.yaml', folder / 'team.yaml')

    def read(file):
        assert isinstance(team_from_entries(load_team(file)), Team)

    return folder / 'team.yaml', read


def scenario(folder):
    pytest.importorskip('dacite', reason='scenarios need the `sim` extra')
    shutil.copyfile(REPOSITORY / 'config' / 'scenarios' / 'hard.yaml', folder / 'hard.yaml')
    return folder / 'hard.yaml', lambda file: load_scenario(str(file))


def parameters(folder):
    shutil.copyfile(REPOSITORY / 'config' / 'localization.yaml', folder / 'params.yaml')
    return folder / 'params.yaml', lambda file: load_parameters(file)


def training(folder):
    shutil.copyfile(REPOSITORY / 'config' / 'training' / 'drone.yaml', folder / 'drone.yaml')
    return folder / 'drone.yaml', lambda file: load_training_configuration(file)


def card(folder):
    for suffix in ('yaml', 'onnx'):
        shutil.copyfile(REPOSITORY / 'models' / f'sim.{suffix}', folder / f'sim.{suffix}')
    return folder / 'sim.yaml', lambda file: load_card(file.with_suffix('.onnx'))


def ros_camera(folder):
    camera = {
        'image_width': 640, 'image_height': 512, 'camera_name': 'a',
        'distortion_model': 'plumb_bob',
        'camera_matrix': {'rows': 3, 'cols': 3, 'data': [400, 0, 320, 0, 400, 256, 0, 0, 1]},
        'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': [0.1, 0, 0, 0, 0]},
    }  # fmt: skip
    (folder / 'ros.yaml').write_text(yaml.safe_dump(camera))
    return folder / 'ros.yaml', lambda file: load_camera(file)


def kalibr_camera(folder):
    camera = {
        'camera_model': 'pinhole', 'intrinsics': [400, 400, 320, 256], 'resolution': [640, 512],
        'distortion_model': 'equidistant', 'distortion_coeffs': [0.1, 0.0, 0.0, 0.0],
    }  # fmt: skip
    (folder / 'kalibr.yaml').write_text(yaml.safe_dump({'cam0': camera}))
    return folder / 'kalibr.yaml', lambda file: load_camera(file)


def coco_boxes(folder):
    document = {
        'images': [{'id': 1, 'file_name': 'a.png', 'width': 64, 'height': 48}],
        'annotations': [{'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': [1, 2, 10, 12]}],
    }
    (folder / 'boxes.json').write_text(json.dumps(document))
    return folder / 'boxes.json', lambda file: read_boxes(file, None, None)


def yolo_boxes(folder):
    (folder / 'yolo').mkdir()
    (folder / 'yolo' / 'a.txt').write_text('0 0.5 0.5 0.2 0.2 0.9\n0 0.1 0.2 0.05 0.05\n')
    return folder / 'yolo' / 'a.txt', lambda file: read_boxes(file.parent, None, (64, 48))


def labelled(folder):
    for kind, value in (('images', 90), ('labels', 1)):
        (folder / kind).mkdir()
        cv2.imwrite(str(folder / kind / 'a.png'), np.full((20, 30), value, np.uint8))
    return folder / 'labels' / 'a.png', lambda file: list(folder_samples(file.parents[1], 2))


def image(folder):
    rng = np.random.default_rng(0)
    cv2.imwrite(str(folder / 'a.jpg'), rng.integers(0, 255, (40, 50), dtype=np.uint8))
    return folder / 'a.jpg', lambda file: read_image(file)


def run_folder(folder):
    words = {
        'title': 'one', 'drones': ['a'], 'figures': {}, 'rivals': {}, 'latency_what': 'x',
        'axes': [0, 1, 2, 3], 'score': None, 'about': {}, 'independent': 1.0, 'pictures': [],
    }  # fmt: skip
    (folder / 'run.json').write_text(json.dumps(words))
    np.savez(
        folder / 'run.npz', covariance_0=np.tile(np.eye(4), (6, 1, 1)), latency_ms=np.zeros(3),
        nis=np.ones((3, 2)), confusion=np.zeros((0, 0)),
    )  # fmt: skip
    for kind in ('truth', 'estimate', 'vio'):
        tum(folder)[0].rename(folder / f'a.{kind}.tum')
    return folder / 'run.json', lambda file: load_run(file.parent)


def bag(folder):
    with tarfile.open(REPOSITORY / 'test' / 'ros' / 'flight_bag' / 'bag.tar.xz') as archive:
        archive.extractall(folder, filter='data')

    def read(file):
        reader = BagReader(file.parent)
        with closing(reader):
            for message in reader.messages():
                reader.decoded(message)

    return folder / 'bag' / 'metadata.yaml', read


def bag_of_messages(folder):
    metadata, read = bag(folder)
    return next(metadata.parent.glob('*.mcap')), read


def imported(kind, damaged_file):
    """Return a reader of the labels of a tool."""

    def make(folder):
        pytest.importorskip('pycocotools', reason='COCO run lengths need the `train` extra')
        from mav_perception.datasets.label_import.convert import import_labels
        from mav_perception.segmentation.labels import label_space

        (folder / 'images').mkdir()
        for name in ('one', 'two'):
            cv2.imwrite(str(folder / 'images' / f'{name}.png'), np.full((48, 64), 90, np.uint8))
        tests = REPOSITORY / 'test' / 'datasets' / 'label_import' / 'test_convert.py'
        source = runpy.run_path(str(tests))['WRITERS'][kind](folder)

        def read(_):
            shutil.rmtree(folder / 'out', ignore_errors=True)
            import_labels(kind, source, folder / 'out', label_space('drone'), {})

        return folder / damaged_file, read

    make.__name__ = f'import_{kind}'
    return make


READERS = [
    tum, euroc, mrclam, team, scenario, parameters, training, card, ros_camera, kalibr_camera,
    coco_boxes, yolo_boxes, labelled, image, run_folder, bag, bag_of_messages,
    imported('labelme', 'one.json'), imported('coco', 'annotations.json'),
    imported('cvat', 'annotations.xml'), imported('yolo-seg', 'labels/one.txt'),
    imported('masks', 'masks/one.png'), imported('voc', 'labelmap.txt'),
]  # fmt: skip


@pytest.mark.parametrize('reader', READERS, ids=lambda reader: reader.__name__)
def test_a_damaged_file_is_read_or_refused_in_words(reader, tmp_path_factory):
    file, read = reader(tmp_path_factory.mktemp(reader.__name__))
    good = file.read_bytes()
    read(file)
    refused = 0

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(damage())
    def damaged(change):
        nonlocal refused
        file.write_bytes(change(good))
        try:
            read(file)
        except MavPerceptionError as error:
            assert len(str(error)) > 20
            refused += 1

    damaged()
    assert refused > EXAMPLES // 20, 'the damage does no harm'
