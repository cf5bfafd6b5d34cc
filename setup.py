"""ament_python package: everything that pip needs, and the share files that ROS needs."""

from glob import glob

from setuptools import find_packages, setup

NODES = (
    'camera',
    'segmentation',
    'detection',
    'localization',
    'simulation',
    'monitor',
    'recorder',
    'player',
    'pilot',
    'doctor',
    'overlay',
)


def share(folder: str, pattern: str) -> tuple[str, list[str]]:
    """Install matching files under share/mav_perception."""
    return (f'share/mav_perception/{folder}', sorted(glob(f'{folder}/{pattern}')))


setup(
    name='mav_perception',
    version='0.2.0',
    packages=find_packages(include=['mav_perception', 'mav_perception.*']),
    python_requires='>=3.10',
    install_requires=[
        'setuptools',
        'numpy>=1.21',
        'scipy>=1.8',
        'opencv-python-headless>=4.5',
        'pyyaml',
        'onnxruntime>=1.18',
        'tqdm',
        'threadpoolctl',
        'filterpy',
        'argcomplete',
    ],
    extras_require={
        'train': [
            'dacite>=1.8',
            'torch>=2.4',
            'tensorboard',
            'onnx',
            'onnxscript',
            'matplotlib',
            'pillow',
            'pycocotools',
        ],
        'report': ['matplotlib', 'bokeh>=3.4'],
        'sim': ['panda3d>=1.10.13', 'dacite>=1.8', 'matplotlib', 'bokeh>=3.4'],
        'bag': ['rosbags>=0.10', 'matplotlib', 'bokeh>=3.4'],
        'rerun': ['rerun-sdk>=0.26'],
        'cluster': ['distributed'],
        'openvino': ['openvino>=2024.0'],
        'test': [
            'pytest',
            'pytest-xdist',
            'hypothesis',
            'ruff',
            'mypy',
            'codespell',
            'types-PyYAML',
        ],
    },
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/mav_perception']),
        ('share/mav_perception', ['package.xml', 'LICENSE']),
        share('launch', '*.launch.*'),
        share('config', '*.yaml'),
        share('config', '*.xml'),
        share('config/training', '*.yaml'),
        share('config/rviz', '*.rviz'),
        share('config/foxglove', '*.json'),
        share('config/scenarios', '*.yaml'),
        share('config/gazebo', '*.yaml'),
        share('worlds', '*.sdf'),
        share('worlds/models/quadrotor', '*'),
        share('models', '*.onnx'),
        share('models', '*.yaml'),
        share('models/checkpoints', '*'),
    ],
    zip_safe=True,
    maintainer='mav_perception maintainers',
    maintainer_email='maintainers@users.noreply.r-seed-7f2e614f.example',
    description='Localize teams of micro aerial vehicles from nameless sightings and VIO.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': ['mav-perception = mav_perception.cli:main']
        + [f'{node}_node = mav_perception.ros.node_entry:main' for node in NODES],
    },
)
