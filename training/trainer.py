"""The training loop, on one process or several, CPU or CUDA, through accelerate.

An own loop and not `transformers.Trainer`, because it is shorter: examples are packed into
steps by tokens, the whole order is known beforehand, so that resuming is going on at step k,
and checkpoints are complete or absent and free of pickles.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from accelerate import Accelerator
from datasets import Dataset
from rich.console import Console
from torch import nn

from claimx.batching import SpecialTokens
from claimx.errors import ConfigError
from claimx.modeling import ClaimxModel
from claimx.torch_backend import bfloat16_pays
from training.config import TrainConfig
from training.objective import Batch, Objective, collate
from training.run_state import load_state, newest_state, put_aside, save_state
from training.schedule import Visit
from training.watch import LearningWatch

_console = Console(stderr=True)


def is_first_process() -> bool:
    """Say whether this is the process that prints and writes."""
    return os.environ.get("RANK", "0") == "0"


def take_own_gpu() -> None:
    """Let "cuda" mean this process's own GPU, for the teacher as for the training."""
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run goes through: examples in both variants and the order of visits."""

    datasets: Sequence[Dataset]
    steps: Sequence[Sequence[Visit]]
    special: SpecialTokens

    @property
    def digest(self) -> str:
        """A hash of the order of visits, by which a run is known again."""
        return hashlib.sha256(repr([list(step) for step in self.steps]).encode()).hexdigest()


def train(
    model: ClaimxModel,
    plan: Plan,
    config: TrainConfig,
    *,
    resume: bool = False,
    stop_after: int | None = None,
) -> int:
    """Run the optimiser over a plan.

    Args:
        model: the model; trained in place.
        plan: examples and order.
        config: rates, precision and the run's folder.
        resume: go on from the newest complete checkpoint, if there is one.
        stop_after: end after this many steps (for tests of resuming).

    Returns:
        The number of done steps.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    # Without the hint accelerate takes every process of a CPU group for one that is alone.
    grouped = int(os.environ.get("WORLD_SIZE", "1")) > 1
    accelerator = Accelerator(cpu=grouped and not torch.cuda.is_available())
    _console.quiet = not accelerator.is_main_process
    objective = Objective(model, config.link_weight, config.teacher_weight)
    optimizer = build_optimizer(objective.model, config)
    total = len(plan.steps)
    folder = Path(config.output)
    done = _take_up(folder, model, optimizer, plan) if resume else 0
    _check_agreement(accelerator, done, plan)
    if accelerator.is_main_process:
        _begin(folder, config, anew=not done)
    wrapped, optimizer = accelerator.prepare(objective, optimizer)
    progress = Progress(total, config.save_minutes)
    layers = {layer.name: len(layer.tags) for layer in model.config.label_schema.layers}
    watch = LearningWatch(layers, total)
    last = min(total, stop_after or total)
    for step in range(done, last):
        set_rates(optimizer, config, step, total)
        batch = _own_share(plan, step, accelerator, model).to(accelerator.device)
        losses, tokens = _learn(accelerator, wrapped, objective, optimizer, batch, config)
        if accelerator.is_main_process:
            progress.add(losses, tokens)
            for finding in watch.add(batch.tags, losses):
                _console.print(f"warning: {finding}", style="yellow", soft_wrap=True)
            progress.show(step + 1)
            if progress.save_due() or step + 1 == last:
                save_state(folder, model, optimizer, {"step": step + 1, "plan": plan.digest})
                progress.saved()
    accelerator.wait_for_everyone()
    if grouped:
        accelerator.end_training()
    return last


def _begin(folder: Path, config: TrainConfig, *, anew: bool) -> None:
    """Write the config into the run's folder, where nothing of another run is mistaken for it."""
    folder.mkdir(parents=True, exist_ok=True)
    if anew and (moved := put_aside(folder)):
        _console.print(moved, highlight=False, markup=False, soft_wrap=True)
    resolved = yaml.safe_dump(_plain(config.to_dict()), sort_keys=False)
    (folder / "config.yaml").write_text(resolved, encoding="utf-8")


def _plain(value: Any) -> Any:
    """Tuples and mappings as YAML writes them."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _take_up(folder: Path, model: ClaimxModel, optimizer: torch.optim.Optimizer, plan: Plan) -> int:
    """Load the newest complete checkpoint of a run; return its step, or 0 if there is none."""
    found = newest_state(folder)
    if not found:
        return 0
    state = load_state(found, model, optimizer)
    if state.get("plan", plan.digest) != plan.digest:
        raise ConfigError(
            f"{found} belongs to a run of other data, seed or step size; start anew without "
            "--resume, or into another `output`"
        )
    done = int(state["step"])
    _console.print(f"resuming at step {done} of {len(plan.steps)}, from {found.name}")
    return done


def _check_agreement(accelerator: Accelerator, done: int, plan: Plan) -> None:
    """Stop before the first step if the processes would not go through the same steps.

    Raises:
        ConfigError: if they have other data or another checkpoint before them.
    """
    mine = torch.tensor([[done, int(plan.digest[:15], 16)]], device=accelerator.device)
    steps, plans = accelerator.gather(mine).T.tolist()
    if len(set(plans)) > 1:
        raise ConfigError(
            "the processes have planned different steps: every machine needs the same config, "
            "corpora and encoder"
        )
    if len(set(steps)) > 1:
        raise ConfigError(
            f"the processes would resume at different steps, {sorted(set(steps))}: `output` must "
            "be a folder that all machines share"
        )


def _own_share(plan: Plan, step: int, accelerator: Accelerator, model: ClaimxModel) -> Batch:
    """Collate this process's part of a step.

    Every process takes part in every step; one that is left without an example reads the
    first one and learns nothing from it.
    """
    visits = plan.steps[step]
    share = visits[accelerator.process_index :: accelerator.num_processes]
    rows = [plan.datasets[variant][row] for variant, row in share or visits[:1]]
    # Short forward passes stay in a CPU's cache; a GPU wants long ones.
    bucket_tokens = 640 if accelerator.device.type == "cpu" else 8192
    batch = collate(rows, plan.special, model.config.label_schema, bucket_tokens)
    return batch if share else batch.silent()


def _learn(
    accelerator: Accelerator,
    wrapped: nn.Module,
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    config: TrainConfig,
) -> tuple[dict[str, torch.Tensor], int]:
    """Take one optimiser step together with the other processes.

    Returns:
        The losses and the number of tokens of the whole step.
    """
    counts = accelerator.reduce(objective.counts(batch), "sum")
    with _precision(accelerator.device, config.precision):
        losses = wrapped(batch, counts)
    # Gradients are averaged over the processes, but those of the shares add up to the step's.
    accelerator.backward(losses["total"] * accelerator.num_processes)
    nn.utils.clip_grad_norm_(objective.parameters(), config.clip)
    optimizer.step()
    optimizer.zero_grad()
    parts = torch.stack([loss.detach().float() for loss in losses.values()])
    sums = accelerator.reduce(parts, "sum").unbind()
    return dict(zip(losses, sums, strict=True)), int(counts[-1])


def build_optimizer(model: ClaimxModel, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW with one rate for the encoder (falling by layer) and one for what is new."""
    depth = int(getattr(model.encoder.config, "num_hidden_layers", 1))
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        decay = 0.0 if parameter.ndim < 2 else config.weight_decay
        groups.setdefault((_rate_of(name, depth, config), decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": rate, "peak": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        betas=(0.9, 0.98),
        fused=True,
    )


def _rate_of(name: str, depth: int, config: TrainConfig) -> float:
    if not name.startswith("encoder."):
        return config.head_learning_rate
    numbers = [int(part) for part in name.split(".") if part.isdigit()]
    layer = numbers[0] if numbers else -1
    return float(config.learning_rate * config.layer_decay ** (depth - 1 - layer))


def set_rates(optimizer: torch.optim.Optimizer, config: TrainConfig, step: int, total: int) -> None:
    """Linear warm-up, then linear decay to zero."""
    warm = max(1, round(config.warmup * total))
    factor = (step + 1) / warm if step < warm else (total - step) / max(1, total - warm)
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def _precision(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Autocast to bfloat16 where it is asked for, or where it pays."""
    if precision == "float32" or (precision == "auto" and not bfloat16_pays(device)):
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


class Progress:
    """Prints losses, speed and the time that is left, a line every few seconds."""

    def __init__(
        self, total: int, save_minutes: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.clock = clock
        self.begun = self.shown = self.last_save = clock()
        self.save_seconds = save_minutes * 60
        self.steps = self.tokens = 0
        self.sums: dict[str, float] = {}
        self.window = 0

    def add(self, losses: dict[str, torch.Tensor], tokens: int) -> None:
        """Count one step."""
        self.steps += 1
        self.window += 1
        self.tokens += tokens
        for name, loss in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(loss.detach())

    def show(self, step: int) -> None:
        """Print a line if it is time."""
        now = self.clock()
        if now - self.shown < 15 and step != self.total:
            return
        elapsed = max(now - self.begun, 1e-9)
        left = (self.total - step) * elapsed / max(1, self.steps)
        means = "  ".join(f"{k} {v / max(1, self.window):.3f}" for k, v in self.sums.items())
        _console.print(
            f"step {step}/{self.total}  {means}  {self.tokens / elapsed:,.0f} tokens/s  "
            f"{int(left) // 60}:{int(left) % 60:02d} left",
            highlight=False,
        )
        self.shown, self.window, self.sums = now, 0, {}

    def save_due(self) -> bool:
        """Say whether the next checkpoint is due."""
        return self.clock() - self.last_save > self.save_seconds

    def saved(self) -> None:
        """Note that a checkpoint was written."""
        self.last_save = self.clock()
