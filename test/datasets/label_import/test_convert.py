"""The same labels, written as each tool writes them, become the same masks."""

import base64
import json
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

pytest.importorskip('pycocotools', reason='COCO run lengths need the `train` extra')

from PIL import Image
from pycocotools import mask as run_lengths

from mav_perception.cli import main
from mav_perception.datasets.label_import.convert import FORMATS, import_labels
from mav_perception.errors import ConfigurationError, DataError
from mav_perception.segmentation.labels import label_space

SIZE = (64, 48)
BOX = (10, 8, 40, 30)
"""Left, top, right, bottom of what is labelled."""

DRONE = label_space('drone')


def corners():
    left, top, right, bottom = BOX
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def truth():
    left, top, right, bottom = BOX
    labels = np.zeros(SIZE[::-1], np.uint8)
    labels[top:bottom, left:right] = 1
    return labels


@pytest.fixture
def source(tmp_path):
    """Return a folder with images/one.png and images/two.png."""
    folder = tmp_path / 'source'
    (folder / 'images').mkdir(parents=True)
    for value, name in ((90, 'one'), (120, 'two')):
        cv2.imwrite(str(folder / 'images' / f'{name}.png'), np.full(SIZE[::-1], value, np.uint8))
    return folder


def write_labelme(source, name='drone'):
    png = cv2.imencode('.png', truth()[BOX[1] : BOX[3], BOX[0] : BOX[2]])[1]
    mask = {'shape_type': 'mask', 'points': [BOX[:2], BOX[2:]],
            'mask': base64.b64encode(png.tobytes()).decode()}  # fmt: skip
    shapes = {
        'one': {'points': corners(), 'shape_type': 'polygon'},
        'two': mask,
    }
    for stem, shape in shapes.items():
        document = {
            'imagePath': f'images\\{stem}.png', 'imageWidth': SIZE[0], 'imageHeight': SIZE[1],
            'shapes': [{'label': name, **shape}],
        }  # fmt: skip
        (source / f'{stem}.json').write_text(json.dumps(document))
    return source


def write_coco(source, name='drone'):
    coded = run_lengths.encode(np.asfortranarray(truth()))
    coded['counts'] = coded['counts'].decode()
    document = {
        'categories': [{'id': 7, 'name': name}],
        'images': [
            {'id': i, 'file_name': f'{stem}.png', 'width': SIZE[0], 'height': SIZE[1]}
            for i, stem in enumerate(('one', 'two'))
        ],
        'annotations': [
            {'id': 1, 'image_id': 0, 'category_id': 7,
             'segmentation': [np.ravel(corners()).tolist()]},
            {'id': 2, 'image_id': 1, 'category_id': 7, 'segmentation': coded},
        ],
    }  # fmt: skip
    (source / 'annotations.json').write_text(json.dumps(document))
    return source / 'annotations.json'


def write_cvat(source, name='drone'):
    root = ElementTree.Element('annotations')
    left, top, right, bottom = BOX
    shapes = {
        'one': ('polygon', {'points': ';'.join(f'{x}.0,{y}.0' for x, y in corners())}),
        'two': ('mask', {'left': str(left), 'top': str(top), 'width': str(right - left),
                         'height': str(bottom - top),
                         'rle': f'0,{(right - left) * (bottom - top)}'}),
    }  # fmt: skip
    for stem, (kind, told) in shapes.items():
        told = {'label': name, **told}
        size = {'width': str(SIZE[0]), 'height': str(SIZE[1])}
        image = ElementTree.SubElement(root, 'image', name=f'{stem}.png', **size)
        ElementTree.SubElement(image, kind, told)
    ElementTree.ElementTree(root).write(source / 'annotations.xml')
    return source


def write_yolo(source, name='drone'):
    (source / 'data.yaml').write_text(f'names: {{0: {name}}}\n')
    (source / 'labels').mkdir()
    shares = ' '.join(f'{x / SIZE[0]} {y / SIZE[1]}' for x, y in corners())
    for stem in ('one', 'two'):
        (source / 'labels' / f'{stem}.txt').write_text(f'0 {shares}\n')
    return source


def write_masks(source, name='1'):
    (source / 'masks').mkdir()
    for stem in ('one', 'two'):
        cv2.imwrite(str(source / 'masks' / f'{stem}.png'), truth() * int(name))
    return source


def write_voc(source, name='drone'):
    (source / 'SegmentationClass').mkdir()
    (source / 'labelmap.txt').write_text(f'# label:color\nbackground:0,0,0::\n{name}:250,50,5::\n')
    colours = np.zeros((*SIZE[::-1], 3), np.uint8)
    colours[truth() > 0] = (250, 50, 5)
    for stem in ('one', 'two'):
        Image.fromarray(colours).save(source / 'SegmentationClass' / f'{stem}.png')
    return source


WRITERS = {
    'labelme': write_labelme, 'coco': write_coco, 'cvat': write_cvat, 'yolo-seg': write_yolo,
    'masks': write_masks, 'voc': write_voc,
}  # fmt: skip


def imported(folder):
    return {p.stem: cv2.imread(str(p), cv2.IMREAD_UNCHANGED) for p in folder.glob('labels/*.png')}


def test_every_format_is_tested():
    assert set(WRITERS) == set(FORMATS)


@pytest.mark.parametrize('kind', WRITERS)
def test_every_format_gives_the_same_masks(source, tmp_path, kind, capsys):
    written = WRITERS[kind](source)
    assert main(['dataset', 'import', kind, str(written), str(tmp_path / 'out')]) == 0
    assert '2 images' in capsys.readouterr().out
    masks = imported(tmp_path / 'out')
    assert set(masks) == {'one', 'two'}
    for mask in masks.values():
        np.testing.assert_array_equal(mask, truth())
    assert main(['dataset', 'check', str(tmp_path / 'out')]) == 0


@pytest.mark.parametrize('kind', ['labelme', 'coco', 'cvat', 'yolo-seg', 'voc'])
def test_a_single_foreign_name_is_the_only_class_and_a_map_says_otherwise(source, tmp_path, kind):
    written = WRITERS[kind](source, 'quadrotor')
    result = import_labels(kind, written, tmp_path / 'guess', DRONE, {})
    assert 'quadrotor is taken for drone' in result.notices[0]
    import_labels(kind, written, tmp_path / 'told', DRONE, {'quadrotor': 'unknown'})
    assert set(np.unique(imported(tmp_path / 'told')['one'])) == {0, 255}
    with pytest.raises(ConfigurationError, match=r'quadrotor.*--map'):
        import_labels(kind, written, tmp_path / 'penstock', label_space('penstock'), {})


def test_masks_of_0_and_255_are_targets_of_the_only_class(source, tmp_path):
    result = import_labels('masks', write_masks(source, '255'), tmp_path / 'out', DRONE, {})
    assert '255 is taken for drone' in result.notices[0]
    np.testing.assert_array_equal(imported(tmp_path / 'out')['two'], truth())


@pytest.mark.parametrize('mode', ['palette', '16 bit', 'colour', 'transparent'])
def test_masks_of_any_kind(source, tmp_path, mode):
    (source / 'masks').mkdir()
    for stem in ('one', 'two'):
        file, labels = source / 'masks' / f'{stem}.png', truth()
        if mode == 'palette':
            picture = Image.fromarray(labels, mode='P')
            picture.putpalette([0, 0, 0, 128, 0, 0] + [0] * 762)
            picture.save(file)
        elif mode == '16 bit':
            cv2.imwrite(str(file), 900 * labels.astype(np.uint16))
        elif mode == 'transparent':  # one colour everywhere, as paint programs export a layer
            colours = np.full((*labels.shape, 4), (30, 20, 10, 0), np.uint8)
            colours[..., 3] = 255 * labels
            Image.fromarray(colours).save(file)
        else:
            cv2.imwrite(str(file), np.stack([labels * 10, labels * 20, labels * 30], axis=2))
    name = {'palette': '1', '16 bit': '900'}.get(mode, '#1e140a')
    import_labels('masks', source, tmp_path / 'out', DRONE, {name: 'drone'})
    np.testing.assert_array_equal(imported(tmp_path / 'out')['one'], truth())


def broken_labelme(source):
    write_labelme(source)
    (source / 'one.json').write_text('{"shapes": [')


def labelme_line(source):
    write_labelme(source)
    document = json.loads((source / 'one.json').read_text())
    document['shapes'][0]['shape_type'] = 'linestrip'
    (source / 'one.json').write_text(json.dumps(document))


def coco_box(source):
    document = json.loads(write_coco(source).read_text())
    document['annotations'][0] = {'id': 3, 'image_id': 0, 'category_id': 7, 'bbox': [1, 1, 5, 5]}
    (source / 'annotations.json').write_text(json.dumps(document))


def coco_other_size(source):
    write_coco(source)
    cv2.imwrite(str(source / 'images' / 'one.png'), np.zeros((10, 10), np.uint8))


def yolo_box(source):
    write_yolo(source)
    (source / 'labels' / 'one.txt').write_text('0 0.5 0.5 0.2 0.2\n')


def yolo_class(source):
    write_yolo(source)
    (source / 'labels' / 'one.txt').write_text('4 0.5 0.5 0.2 0.2 0.3 0.3\n')


def yolo_without_labels(source):
    (source / 'data.yaml').write_text('names: [drone]\n')


def yolo_negative(source):
    write_yolo(source)
    (source / 'labels' / 'one.txt').write_text('-1 0.5 0.5 0.2 0.2 0.3 0.3\n')


def coco_foreign_image(source):
    document = json.loads(write_coco(source).read_text())
    document['annotations'][0]['image_id'] = '0'
    (source / 'annotations.json').write_text(json.dumps(document))


def coco_nothing(source):
    document = json.loads(write_coco(source).read_text())
    (source / 'annotations.json').write_text(json.dumps(document | {'annotations': []}))


def coco_two_files_in_one(source):
    document = json.loads(write_coco(source).read_text())
    document['images'] += document['images']
    (source / 'annotations.json').write_text(json.dumps(document))


def coco_category_twice(source):
    document = json.loads(write_coco(source).read_text())
    document['categories'] += document['categories']
    (source / 'annotations.json').write_text(json.dumps(document))


def coco_runs(*runs, packed=False):
    def spoil(source):
        document = json.loads(write_coco(source).read_text())
        shape = {'size': list(SIZE[::-1]), 'counts': list(runs)}
        if packed:  # as of a picture of half the columns
            half = np.asfortranarray(truth()[:, : SIZE[0] // 2])
            shape['counts'] = run_lengths.encode(half)['counts'].decode()
        document['annotations'][0]['segmentation'] = shape
        (source / 'annotations.json').write_text(json.dumps(document))

    return spoil


def mask_of_floats(source):
    write_masks(source)
    Image.fromarray(truth().astype(np.float32)).save(source / 'masks' / 'two.tiff')
    (source / 'masks' / 'two.png').unlink()


def labelme_half_circle(source):
    write_labelme(source)
    document = json.loads((source / 'one.json').read_text())
    document['shapes'][0] |= {'shape_type': 'circle', 'points': [[3, 4]]}
    (source / 'one.json').write_text(json.dumps(document))


def mask_alone(source):
    write_masks(source)
    (source / 'images' / 'two.png').unlink()


def cvat_broken(source):
    (source / 'annotations.xml').write_text('<annotations><image')


def mask_missing(source):
    write_masks(source)
    (source / 'masks' / 'two.png').unlink()


def mask_broken(source):
    write_masks(source)
    (source / 'masks' / 'two.png').write_bytes(b'no image')


@pytest.mark.parametrize(
    ('kind', 'spoil', 'text'),
    [
        ('labelme', broken_labelme, 'one.json is no readable JSON'),
        ('labelme', labelme_line, 'linestrip named drone has no area'),
        ('coco', coco_box, 'box without an outline'),
        ('coco', coco_other_size, 'one.png is 10x10'),
        ('yolo-seg', yolo_box, 'one.txt, line 1 is a box'),
        ('yolo-seg', yolo_class, 'one.txt, line 1'),
        ('yolo-seg', yolo_without_labels, 'No .txt files'),
        ('yolo-seg', yolo_negative, '-1'),
        ('coco', coco_foreign_image, "annotations of image '0'"),
        ('coco', coco_nothing, 'nothing labelled'),
        ('coco', coco_two_files_in_one, 'image id 0 more than once'),
        ('coco', coco_category_twice, 'category id 7 more than once'),
        ('coco', coco_runs(1290, 30), 'do not add up to 64x48'),
        ('coco', coco_runs(-8, 3080), 'do not add up to 64x48'),
        ('coco', coco_runs(packed=True), 'do not add up to 64x48'),
        ('masks', mask_of_floats, 'two.tiff is of mode F'),
        ('labelme', labelme_half_circle, 'one.json is no labelme file'),
        ('masks', mask_alone, 'two.png belongs to no image'),
        ('cvat', cvat_broken, 'annotations.xml'),
        ('masks', mask_missing, 'two.png has no mask'),
        ('masks', mask_broken, 'two.png is no readable mask'),
    ],
)
def test_what_is_broken_is_named_and_nothing_is_written(source, tmp_path, kind, spoil, text):
    spoil(source)
    with pytest.raises(DataError, match=text):
        import_labels(kind, source, tmp_path / 'out', DRONE, {})
    assert not (tmp_path / 'out').exists()


def test_a_name_that_no_label_has_is_refused(source, tmp_path):
    with pytest.raises(ConfigurationError, match=r"'dorne'; there are drone"):
        import_labels('coco', write_coco(source), tmp_path / 'out', DRONE, {'dorne': 'unknown'})


def test_a_box_of_cvat_is_turned(source, tmp_path):
    write_cvat(source)
    box = '<box label="drone" xtl="20" ytl="20" xbr="44" ybr="24" rotation="90"/>'
    size = f'width="{SIZE[0]}" height="{SIZE[1]}"'
    (source / 'annotations.xml').write_text(
        f'<annotations><image name="one.png" {size}>{box}</image></annotations>'
    )
    import_labels('cvat', source, tmp_path / 'out', DRONE, {})
    rows, columns = np.nonzero(imported(tmp_path / 'out')['one'])
    assert (rows.min(), rows.max() + 1) == pytest.approx((10, 34), abs=1)
    assert (columns.min(), columns.max() + 1) == pytest.approx((30, 34), abs=1)


def test_an_outline_that_leaves_the_image_is_cut_and_not_bent(source, tmp_path):
    document = json.loads(write_coco(source).read_text())
    document['annotations'] = document['annotations'][:1]
    document['annotations'][0]['segmentation'] = [[10, 8, 200, 24, 10, 40]]
    (source / 'annotations.json').write_text(json.dumps(document))
    import_labels('coco', source, tmp_path / 'out', DRONE, {})
    assert np.count_nonzero(imported(tmp_path / 'out')['one']) == pytest.approx(1486, rel=0.02)


def test_names_with_spaces_keep_their_place(source, tmp_path):
    write_yolo(source)
    (source / 'data.yaml').unlink()
    (source / 'classes.txt').write_text('drone\nwind turbine\n')
    import_labels('yolo-seg', source, tmp_path / 'out', DRONE, {})
    np.testing.assert_array_equal(imported(tmp_path / 'out')['one'], truth())


def test_an_import_replaces_nothing(source, tmp_path):
    write_masks(source)
    import_labels('masks', source, tmp_path / 'out', DRONE, {})
    with pytest.raises(ConfigurationError, match='new folder'):
        import_labels('masks', source, tmp_path / 'out', DRONE, {})


def test_images_that_labelme_wrote_nothing_for_are_named_or_show_no_target(source, tmp_path):
    write_labelme(source)
    cv2.imwrite(str(source / 'images' / 'three.png'), np.zeros(SIZE[::-1], np.uint8))
    told = import_labels('labelme', source, tmp_path / 'a', DRONE, {})
    assert told.images == 2
    assert '1 images have no .json and are left out' in told.notices[0]
    assert 'three.png' in told.notices[0]
    empty = import_labels('labelme', source, tmp_path / 'b', DRONE, {}, empty=True)
    assert (empty.images, empty.notices) == (3, ())
    assert not cv2.imread(str(tmp_path / 'b' / 'labels' / 'three.png'), 0).any()


def test_one_labelme_file_is_a_source_too(source, tmp_path):
    write_labelme(source)
    assert import_labels('labelme', source / 'one.json', tmp_path / 'a', DRONE, {}).images == 1


def test_a_turned_rectangle_of_labelme_is_an_outline(source, tmp_path):
    write_labelme(source)
    document = json.loads((source / 'one.json').read_text())
    document['shapes'][0]['shape_type'] = 'oriented_rectangle'
    (source / 'one.json').write_text(json.dumps(document))
    import_labels('labelme', source, tmp_path / 'a', DRONE, {})
    np.testing.assert_array_equal(
        cv2.imread(str(tmp_path / 'a' / 'labels' / 'one.png'), 0), truth()
    )


def test_yolo_files_of_splits_side_by_side(source, tmp_path):
    write_yolo(source)
    for kind in ('images', 'labels'):
        files = list((source / kind).iterdir())
        (source / kind / 'train').mkdir()
        for file in files:
            file.rename(source / kind / 'train' / file.name)
    with pytest.raises(DataError, match=r'one of its splits, such as .*images/train'):
        import_labels('yolo-seg', source, tmp_path / 'out', DRONE, {})
    import_labels('yolo-seg', source / 'images' / 'train', tmp_path / 'out', DRONE, {})
    np.testing.assert_array_equal(imported(tmp_path / 'out')['one'], truth())


def test_an_image_of_a_kind_that_nobody_looks_for_becomes_a_png(source, tmp_path):
    written = write_coco(source)
    document = json.loads(written.read_text())
    for entry in document['images']:
        old = next(source.rglob(entry['file_name']))
        pixels = cv2.imread(str(old), cv2.IMREAD_GRAYSCALE)
        entry['file_name'] = str(Path(entry['file_name']).with_suffix('.pgm'))
        old.unlink()
        cv2.imwrite(str(old.with_suffix('.pgm')), pixels)
    written.write_text(json.dumps(document))
    import_labels('coco', written, tmp_path / 'out', DRONE, {})
    assert sorted(p.name for p in (tmp_path / 'out' / 'images').iterdir()) == [
        'one.png',
        'two.png',
    ]
    assert main(['dataset', 'check', str(tmp_path / 'out')]) == 0
