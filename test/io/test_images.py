"""Images from files, folders and videos."""

import os
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from mav_perception.errors import DataError, OutputError
from mav_perception.io.images import image_files, read_image, write_image


def test_colours_come_as_rgb(tmp_path):
    cv2.imwrite(str(tmp_path / 'blue.png'), np.full((4, 4, 3), (255, 0, 0), np.uint8))
    assert read_image(tmp_path / 'blue.png')[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize(('orientation', 'corner'), [(1, (0, 0)), (3, (-1, -1)), (6, (0, -1))])
def test_an_image_is_turned_as_its_exif_says(tmp_path, orientation, corner):
    image = np.zeros((40, 60, 3), np.uint8)
    image[:16, :16] = 255  # the corner where the camera's first row began
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(image).save(tmp_path / 'turned.jpg', exif=exif)
    read = read_image(tmp_path / 'turned.jpg')
    assert read.shape == ((60, 40, 3) if orientation == 6 else (40, 60, 3))
    assert read[corner].min() > 200
    assert sorted(read[c].max() < 50 for c in ((0, 0), (0, -1), (-1, 0), (-1, -1))) == [0, 1, 1, 1]


def test_webp_is_read_like_the_rest(tmp_path):
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = (200, 20, 20)
    Image.fromarray(image).save(tmp_path / 'red.webp', lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / 'red.webp'), image)


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / 'broken.png').write_bytes(b'not a png')
    with pytest.raises(DataError, match=r'broken\.png'):
        read_image(tmp_path / 'broken.png')
    cv2.imwrite(str(tmp_path / 'deep.png'), np.zeros((4, 4), np.uint16))
    with pytest.raises(DataError, match='8 bit'):
        read_image(tmp_path / 'deep.png')


def test_a_jpeg_that_breaks_off_is_named_although_it_can_be_read(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (96, 128), np.uint8)
    cv2.imwrite(str(tmp_path / 'half.jpg'), noise)
    read_image(tmp_path / 'half.jpg')
    whole = (tmp_path / 'half.jpg').read_bytes()
    (tmp_path / 'half.jpg').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r'half\.jpg .*breaks off'):
        read_image(tmp_path / 'half.jpg')


def test_a_header_that_promises_too_much_is_named(tmp_path):
    cv2.imwrite(str(tmp_path / 'giant.png'), np.zeros((4, 4), np.uint8))
    data = bytearray((tmp_path / 'giant.png').read_bytes())
    data[16:24] = (60_000).to_bytes(4, 'big') * 2
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, 'big')
    (tmp_path / 'giant.png').write_bytes(data)
    with pytest.raises(DataError, match=r'giant\.png is broken'):
        read_image(tmp_path / 'giant.png')


def test_a_name_that_is_no_text_is_refused(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b'/fl\xfcg.png'))
    path.write_bytes(b'')
    for read in (lambda: read_image(path), lambda: image_files(tmp_path)):
        with pytest.raises(DataError, match='is not UTF-8') as raised:
            read()
        str(raised.value).encode()


def test_what_cannot_be_written_is_named(tmp_path):
    colours = np.zeros((4, 5, 3), np.uint8)
    colours[..., 0] = 200
    write_image(tmp_path / 'red.png', colours)
    np.testing.assert_array_equal(read_image(tmp_path / 'red.png'), colours)
    with pytest.raises(OutputError, match=r'Cannot write .*nowhere/red\.png'):
        write_image(tmp_path / 'nowhere' / 'red.png', colours)
