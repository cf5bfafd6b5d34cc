"""A camera of your own: from an image to bearings and distances, without ROS.

Example: python examples/own_camera.py
"""

import numpy as np

from mav_perception.cameras.models import PinholeCamera
from mav_perception.detection.measurements import DetectionParameters, measure_mask
from mav_perception.segmentation.segmenter import Segmenter
from mav_perception.simulation.rendering.random_scenes import RandomScenes

# Yours: mav_perception.cameras.files.load_camera(Path('camera.yaml')) and cv2.imread.
camera = PinholeCamera.with_field_of_view(640, 512, np.pi / 2)
imagery = RandomScenes(640, 512)
segmenter = Segmenter.load('sim')
print(segmenter.description)
for seed in range(5):
    image, _ = imagery.draw(np.random.default_rng(seed))
    mask = segmenter.segment(image)
    sightings = measure_mask(mask, camera, DetectionParameters(), 'me', seed)
    for position, score in zip(sightings.positions, sightings.score, strict=True):
        right, down = np.degrees(np.arctan2(position[:2], position[2]))
        print(
            f'image {seed}: {np.linalg.norm(position):5.2f} m away, {right:6.1f} degrees to the '
            f'right, {down:6.1f} down, score {score:.2f}'
        )
