"""Images from files, folders and videos."""

import cv2
import numpy as np
import pytest
from PIL import Image

from mav_perception.errors import DataError
from mav_perception.io.images import ImageSource, read_image


def test_a_folder_gives_its_images_by_name(tmp_path):
    for name, value in (('b.png', 20), ('a.jpg', 10)):
        cv2.imwrite(str(tmp_path / name), np.full((8, 9), value, np.uint8))
    (tmp_path / 'notes.txt').write_text('no image')
    source = ImageSource(tmp_path)
    assert len(source) == 2
    assert [item.name for item in source] == ['a', 'b']


def test_a_broken_file_does_not_end_the_folder(tmp_path):
    cv2.imwrite(str(tmp_path / 'b.png'), np.full((8, 9), 7, np.uint8))
    (tmp_path / 'a.png').write_bytes(b'not a png')
    source = ImageSource(tmp_path)
    assert [item.name for item in source] == ['b']
    assert 'a.png' in source.broken[0]


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
    (named,) = ImageSource(tmp_path)
    np.testing.assert_array_equal(named.image, image)


def test_a_video_gives_its_frames(tmp_path):
    path = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, (64, 48))
    for value in (0, 100, 200):
        writer.write(np.full((48, 64, 3), value, np.uint8))
    writer.release()
    frames = list(ImageSource(path))
    assert [f.name for f in frames] == [f'film_{k:06d}' for k in range(3)]
    assert frames[2].image.mean() == pytest.approx(200, abs=3)


def test_what_is_no_image_is_named(tmp_path):
    (tmp_path / 'broken.png').write_bytes(b'not a png')
    with pytest.raises(DataError, match=r'broken\.png'):
        read_image(tmp_path / 'broken.png')
    with pytest.raises(DataError, match='does not exist'):
        ImageSource(tmp_path / 'nothing')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(DataError, match='No images'):
        ImageSource(tmp_path / 'empty')
    (tmp_path / 'film.avi').write_bytes(b'not a film')
    with pytest.raises(DataError, match='neither an image nor a video'):
        ImageSource(tmp_path / 'film.avi')
    cv2.imwrite(str(tmp_path / 'deep.png'), np.zeros((4, 4), np.uint16))
    with pytest.raises(DataError, match='8 bit'):
        read_image(tmp_path / 'deep.png')
