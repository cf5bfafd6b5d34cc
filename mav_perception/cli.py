"""`mav-perception`: one parser, one module in `commands/` a subcommand.

Completion: `pip install argcomplete`, then `eval "$(register-python-argcomplete mav-perception)"`.
"""
# PYTHON_ARGCOMPLETE_OK

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from mav_perception import __version__
from mav_perception.commands.command_parser import CommandParser, complete_in_the_shell
from mav_perception.errors import MavPerceptionError, MissingDependencyError
from mav_perception.processes.blas_threads import use_one_blas_thread

COMMANDS = {
    'demo': 'fly a simulated team over real ROS 2 and localize it',
    'simulate': 'publish a simulated flight into ROS 2',
    'replay': 'replay recorded data through the filter and its baselines',
    'doctor': 'check this machine and the running nodes, one line each',
    'record': 'record a flight into a bag',
    'benchmark': 'Monte-Carlo of the filter against its baselines',
    'segment': 'run a network over images or a video',
    'dataset': 'import, split and check labelled images',
    'train': 'train a network',
    'export': 'turn a training checkpoint into a model: ONNX and card',
    'evaluate': 'measure a model, trajectories or a whole run',
    'fit-sensor-model': 'learn detection rates and noise from labelled images',
    'calibrate': 'find the intrinsics of a camera from images of a board',
}

EXTRA_OF = {
    **dict.fromkeys(('torch', 'tensorboard', 'onnx', 'onnxscript', 'pycocotools', 'PIL'), 'train'),
    **dict.fromkeys(('matplotlib', 'bokeh'), 'report'),
    **dict.fromkeys(('panda3d', 'direct', 'dacite'), 'sim'),
    'rosbags': 'bag',
    'rerun': 'rerun',
    'openvino': 'openvino',
    'distributed': 'cluster',
}
"""Module -> the extra of this package that brings it."""

EXIT_CODES = (
    'Exit codes: 0 success, 1 the run failed or missed its goal, 2 wrong use or input, 130 Ctrl-C.'
)


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """Return the parser with every subcommand.

    Args:
        only: the one command whose options are wanted; the modules of the others are not
            imported then, which is slow.
    """
    parser = CommandParser(
        prog='mav-perception',
        description='Localize a team of micro aerial vehicles from cameras and odometry.',
        epilog=EXIT_CODES,
    )
    parser.add_argument('--version', action='version', version=f'mav_perception {__version__}')
    subparsers = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')
    for name, summary in COMMANDS.items():
        subparser = subparsers.add_parser(
            name,
            help=summary,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if only in (None, name):
            module = importlib.import_module(f'mav_perception.commands.{name.replace("-", "_")}')
            subparser.description = module.__doc__
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    return parser


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _missing(error: ModuleNotFoundError) -> MissingDependencyError:
    """Return which package is missing, and the command that brings it."""
    name = (error.name or str(error)).partition('.')[0]
    if name.startswith('rclpy') or name.endswith('_msgs'):
        return MissingDependencyError(
            f'{name} is not installed: this command needs ROS 2. Source its setup.bash, or '
            '`make install` in a checkout.'
        )
    extra = EXTRA_OF.get(name)
    package = f'"mav_perception[{extra}]", or ".[{extra}]" in a checkout' if extra else name
    return MissingDependencyError(f'{name} is not installed: pip install {package}.')


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None:  # a program of its own: however it is ended, it ends what it started
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
                signal.signal(number, _interrupt)
    complete_in_the_shell(build_parser)
    command = next((word for word in given if not word.startswith('-')), '')
    parsed = build_parser(only=command).parse_args(given)
    use_one_blas_thread()
    try:
        return int(parsed.run(parsed))
    except MavPerceptionError as error:
        print(f'mav-perception {parsed.command}: {error}', file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read this has enough; the interpreter must not stumble over it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f'{error.filename}: ' if error.filename else ''
        print(
            f'mav-perception {parsed.command}: {where}{error.strerror or error}.', file=sys.stderr
        )
        return 2 if isinstance(error, FileNotFoundError) else 1
    except UnicodeDecodeError as error:
        print(f'mav-perception {parsed.command}: a file is not UTF-8: {error}.', file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f'mav-perception {parsed.command}: {_missing(error)}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
