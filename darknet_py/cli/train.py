"""darknet train, which is darknet classifier train"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from darknet_py.cli.command import Command
from darknet_py.cli.console import command, say_line
from darknet_py.cli.data_lines import PictureCount, say_report, say_weights
from darknet_py.cli.options import (
    NetworkOptions,
    click_option,
    network_options,
    options_of,
    read_network,
    say_network,
    usage_errors,
)
from darknet_py.cli.output import Streams
from darknet_py.cli.stopping import stop_on_ctrl_c
from darknet_py.cli.watch import Watcher
from darknet_py.options import options_in
from darknet_py.tasks.options import (
    CfgOptions,
    DataOptions,
    ImbalanceOptions,
    RunOptions,
    TrainOptions,
    check_imbalance,
    check_training,
)
from darknet_py.text import shell_words

if TYPE_CHECKING:
    from darknet_py.network import Network
    from darknet_py.tasks.events import Finished
    from darknet_py.tasks.training import Began, TrainingEvent

labels_option = click_option("labels", DataOptions.labels, options_in(DataOptions)["labels"])


def data_options(command: Any) -> Any:
    """--labels, --share and --seed: how pictures get labels, and are set aside."""
    for name, described in reversed(options_in(DataOptions).items()):
        command = click_option(name, getattr(DataOptions, name), described)(command)
    return command


@click.command(cls=Command)
@click.argument("data")
@click.argument("cfg", required=False)
@click.argument("weights", required=False)
@options_of("options", TrainOptions)
@click.option(
    "--display",
    type=click.IntRange(min=1),
    metavar="N",
    help="Print a line every N batches, with their mean loss.  [each; none on a terminal]",
)
@options_of("cfg_options", CfgOptions)
@options_of("run", RunOptions)
@options_of("imbalance", ImbalanceOptions)
@options_of("pictures", DataOptions)
@network_options
@click.pass_context
def train(
    context: click.Context,
    data: str,
    cfg: str | None,
    weights: str | None,
    options: TrainOptions,
    display: int | None,
    cfg_options: CfgOptions,
    run: RunOptions,
    imbalance: ImbalanceOptions,
    pictures: DataOptions,
    network: NetworkOptions,
) -> None:
    """Train a classifier.

    DATA is a folder with one folder of pictures per class (in train/ and valid/ if these exist), a
    .data file, or Caffe's lists, a path and a number per line: a folder with train.txt (and
    val.txt), or the path of train.txt.

    Without CFG, a network is chosen by the sizes of the pictures, and trained for as long as so
    many of them need. --epochs, --batch, --lr, --size and --optimizer change what CFG says. If its
    outputs are not as many as there are classes, its last layer is replaced by one that fits. The
    training begins with WEIGHTS, or with random ones.

    The backup folder gets NAME.cfg, NAME.names and NAME.data, which the other commands take;
    NAME.weights at the end, NAME_best.weights after the best validation and NAME.backup every 100
    batches; metrics.csv and chart.png; and NAME.state. --resume goes on from that as if the run had
    never stopped, with the same pictures on both sides (--state FILE: from a state that --keep or
    --snapshot has kept). Ctrl-C saves and stops. A folder that holds a training of this NAME is
    only replaced with --overwrite.

    \b
    Examples:
      darknet train photos/
      darknet train photos/ cfg/cifar_small.cfg --epochs 30
      darknet classifier train cfg/cifar.data cfg/cifar_small.cfg --seed 1
      darknet train photos/ cfg/cifar_small.cfg --balance --ema 0.999
      darknet train photos/ mine.cfg tiny.weights -clear --reinit last
      darknet train photos/ cfg/cifar_small.cfg --display 20 --snapshot 1000 --max-iter 5000
      darknet train photos/ cfg/cifar_small.cfg --resume
      darknet train photos/ cfg/resnet18.cfg -gpus 0,1
    """
    with usage_errors():
        check_training(options, bool(weights), network.device)
        check_imbalance(imbalance)
    from darknet_py.tasks.training import Training, run_training

    keep_output_going(context)
    training = Training(
        data=data,
        cfg=cfg,
        weights=weights or None,
        options=options,
        run=run,
        cfg_options=cfg_options,
        imbalance=imbalance,
        pictures=pictures,
        seed=given(context, "seed"),
        share=given(context, "share"),
    )

    def open_network(cfg: str, device: str | None) -> Network:
        return read_network(cfg, replace(network, device=device) if device else network)

    presenter = _Presenter(network, display, options.tensorboard)
    with (
        closing(run_training(training, open_network, presenter.stop, presenter.count)) as events,
        closing(presenter),
    ):
        for event in events:
            presenter.show(event)
    finished, began = presenter.finished, presenter.began
    if finished is None or began is None:
        return
    if finished.reason == "stopped":
        start = began.folder.path / began.folder.name
        again = how_to_go_on(context, data, cfg or f"{start}.cfg", without=_REMEMBERED)
        say_line(
            f"stopped after batch {finished.batch}: saved in {start}.state; go on with: {again}",
            err=True,
        )
        context.exit(130)
    if not network.quiet:
        for line in _end_lines(finished, began):
            say_line(line, err=True)


class _Presenter:
    """Shows what a training yields; from when all is checked on, Ctrl-C stops and saves."""

    def __init__(self, network: NetworkOptions, display: int | None, tensorboard: bool) -> None:
        self._network, self._display, self._tensorboard = network, display, tensorboard
        self._pictures = PictureCount(network.quiet)
        self._stack = ExitStack()
        self._stack.callback(self._pictures.close)
        self._asked: list[bool] = []
        self._watcher: Watcher | None = None
        self.began: Began | None = None

    @property
    def finished(self) -> Finished | None:
        return None if self._watcher is None else self._watcher.finished

    def stop(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return bool(self._asked)

    def count(self, done: int, total: int) -> None:
        """So many of the pictures were looked at."""
        self._pictures.show(done, total)

    def show(self, event: TrainingEvent) -> None:
        from darknet_py.tasks.event_files import EventFile
        from darknet_py.tasks.training import Began, Built, Checked, Note, Ready, Weighted

        if isinstance(event, Note):
            if not (event.is_detail and self._network.quiet):
                say_line(f"{'warning: ' * event.is_warning}{event.text}", err=True)
        elif isinstance(event, Built):
            say_network(event.net, self._network)
        elif isinstance(event, Checked):
            self._pictures.close()
            say_report(event.report, self._network.quiet)
        elif isinstance(event, Ready):
            self._asked = self._stack.enter_context(stop_on_ctrl_c())
        elif isinstance(event, Weighted):
            say_weights(event.names, event.weights, self._network.quiet)
        elif isinstance(event, Began):
            folder = event.folder.path / "tensorboard"
            file = EventFile(folder) if self._tensorboard else None
            quiet, display = self._network.quiet, self._display
            self.began = event
            self._watcher = Watcher(*event.figures, event.last, quiet, display, file)
            self._stack.callback(self._watcher.close)
            self._watcher.begin()
        elif self._watcher is not None:
            self._watcher.show(event)

    def close(self) -> None:
        """The last chart, how long it took; Ctrl-C is answered as before."""
        self._stack.close()


def keep_output_going(context: click.Context) -> None:
    """What cannot be written on stdout is no reason to end: hours of work are not lost for it."""
    streams = context.find_object(Streams)
    if streams is not None:
        streams.go_on()


def given(context: click.Context, name: str) -> Any:
    """An option's value where it is on the command line; else None."""
    is_default = context.get_parameter_source(name) is ParameterSource.DEFAULT
    return None if is_default else context.params[name]


def how_to_go_on(context: click.Context, *arguments: str, without: Sequence[str] = ()) -> str:
    """The command that goes on with what this one has begun, with these arguments and its options.

    without: names of options that count at the beginning alone."""
    group = context.parent.info_name if context.parent and context.parent.parent else None
    words = [command(), *([group] if group else []), str(context.info_name), *arguments]
    once = {"overwrite", "resume", *without}
    for option in context.command.params:
        value = given(context, option.name or "")
        if isinstance(option, click.Option) and value and option.name not in once:
            shown = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
            words += [option.opts[-1], *([] if option.is_flag else [shown])]
    return shell_words([*words, "--resume"])


_REMEMBERED = ("clear", "reinit", "state", "seed", "share")
"""Options of a run's initialization, which its state remembers or is in the place of."""


def _end_lines(finished: Finished, began: Began) -> Iterator[str]:
    """What came out, where it is, and what to do with it."""
    from darknet_py.tasks.training import best_weights

    start = began.folder.path / began.folder.name
    weights, own_cfg = Path(f"{start}.weights"), Path(f"{start}.cfg")
    best = best_weights(finished, began.folder, began.net)
    if finished.reason == "patience":
        yield f"no validation since batch {finished.best_batch} was better: ended (--patience)"
    if finished.best is not None:
        where = f": {best}" if best else ": its weights are not here"
        yield f"best validation: top-1 {finished.best:.2%}, batch {finished.best_batch}{where}"
    yield f"after batch {finished.batch}: {weights}"
    words = [str(own_cfg if own_cfg.exists() else began.cfg), str(best or weights)]
    yield f"next: {shell_words([command(), 'classify', *words])} PICTURE"
