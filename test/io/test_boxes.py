"""COCO and YOLO say the same of the same boxes; broken files are named."""

import json

import numpy as np
import pytest

from mav_perception.errors import DataError
from mav_perception.io.boxes import read_boxes

SIZE = (200, 100)
BOX = [20.0, 10.0, 40.0, 16.0]
"""Left, top, width, height from the corner of the image, as COCO has it."""

EXPECTED = [39.5, 17.5, 40.0, 16.0]


@pytest.fixture
def files(tmp_path):
    images = [{'id': 7, 'file_name': 'one.png'}, {'id': 8, 'file_name': 'two.png'}]
    labels = {'images': images, 'annotations': [{'image_id': 7, 'bbox': BOX}]}
    (tmp_path / 'labels.json').write_text(json.dumps(labels))
    results = [{'image_id': 7, 'bbox': BOX, 'score': 0.6, 'category_id': 1}]
    (tmp_path / 'results.json').write_text(json.dumps(results))
    (tmp_path / 'yolo').mkdir()
    (tmp_path / 'yolo' / 'one.txt').write_text('0 0.2 0.18 0.2 0.16 0.6\n\n')
    (tmp_path / 'yolo' / 'two.txt').write_text('')
    return tmp_path


def test_all_formats_give_the_same_boxes(files):
    labels = read_boxes(files / 'labels.json', None, None)
    results = read_boxes(files / 'results.json', files / 'labels.json', None)
    yolo = read_boxes(files / 'yolo', None, SIZE)
    np.testing.assert_allclose(labels['one.png'], [[*EXPECTED, 1.0]])
    np.testing.assert_allclose(results['one.png'], [[*EXPECTED, 0.6]])
    np.testing.assert_allclose(yolo['one'], [[*EXPECTED, 0.6]])
    for table in (labels['two.png'], results['two.png'], yolo['two']):
        assert table.shape == (0, 5)


@pytest.mark.parametrize(
    ('name', 'text', 'words'),
    [
        ('broken.json', '{', 'no COCO file'),
        ('other.json', '{"images": []}', 'no COCO file'),
        ('lost.json', '[{"image_id": 99, "bbox": [0, 0, 1, 1]}]', 'no COCO file'),
        ('yolo/three.txt', '0 0.1 0.2 0.3', 'line 1: 4 numbers'),
        ('yolo/three.txt', '0 0.1 0.2 0.3 a', 'line 1'),
    ],
)
def test_broken_files_are_named(files, name, text, words):
    (files / name).write_text(text)
    path = (files / name).parent if name.startswith('yolo') else files / name
    with pytest.raises(DataError, match=words) as caught:
        read_boxes(path, files / 'labels.json', SIZE)
    assert name.split('/')[-1] in str(caught.value)


def test_what_is_missing_is_said(files):
    with pytest.raises(DataError, match='annotations with images'):
        read_boxes(files / 'results.json', None, None)
    with pytest.raises(DataError, match='--camera'):
        read_boxes(files / 'yolo', None, None)


def test_boxes_of_one_class_are_told_apart(files):
    categories = [{'id': 1, 'name': 'drone'}, {'id': 2, 'name': 'bird'}]
    other = [100.0, 50.0, 10.0, 10.0]
    boxes = [
        {'image_id': 7, 'bbox': box, 'category_id': number}
        for box, number in ((BOX, 1), (other, 2))
    ]
    document = json.loads((files / 'labels.json').read_text())
    document |= {'annotations': boxes, 'categories': categories}
    (files / 'labels.json').write_text(json.dumps(document))
    (files / 'results.json').write_text(json.dumps(boxes))
    (files / 'yolo' / 'one.txt').write_text('1 0.2 0.18 0.2 0.16\n2 0.5 0.5 0.1 0.1\n')
    for path, images in (('labels.json', None), ('results.json', files / 'labels.json')):
        for kind in ('drone', '1'):
            table = read_boxes(files / path, images, None, kind)
            np.testing.assert_allclose(table['one.png'], [[*EXPECTED, 1.0]])
        assert len(read_boxes(files / path, images, None)['one.png']) == 2
    np.testing.assert_allclose(read_boxes(files / 'yolo', None, SIZE, '1')['one'][0, :4], EXPECTED)
    with pytest.raises(DataError, match="no class 'plane', only 1 drone, 2 bird"):
        read_boxes(files / 'labels.json', None, None, 'plane')
    with pytest.raises(DataError, match='give a number'):
        read_boxes(files / 'yolo', None, SIZE, 'drone')
    del document['categories']  # then numbers are all there is
    (files / 'labels.json').write_text(json.dumps(document))
    assert len(read_boxes(files / 'labels.json', None, None, '2')['one.png']) == 1
    with pytest.raises(DataError, match='by its number'):
        read_boxes(files / 'labels.json', None, None, 'drone')
