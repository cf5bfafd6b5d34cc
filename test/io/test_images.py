"""Images from files, folders and videos."""

import cv2
import numpy as np
import pytest

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
