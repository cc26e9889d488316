"""The page's layout in Gradio, and which handler of the desk each control calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from reenact.errors import ReenactError
from reenact.geometry.expressions import EXPRESSIONS
from reenact.perception.action_units import GLG_UNITS, NAMES
from reenact.pipeline.options import DEFAULT_SYSTEM
from reenact.pipeline.pose import MOST_DEGREES
from reenact.web import fragments
from reenact.web.api import Server, ready_systems
from reenact.web.desk import EXAMPLES, Desk, plain, write_examples
from reenact.web.settings import PoseSettings
from reenact.web.studio import Driving

_STATIC = Path(__file__).parent / "static"
_TITLE = (
    '<h1 class="re-title">reenact</h1><p class="re-hint">Animate a portrait with another face. Nothing leaves '
    "this server, and every result is marked as made with AI.</p>"
)
_MODES = [
    ("Relative to the anchor", "relative"),
    ("Absolute, as driven", "absolute"),
    ("Expression only", "expression"),
    ("Head only", "pose"),
]
_REGIONS = {
    "strength": "Expression strength",
    "eyes": "Eyelids",
    "brows": "Eyebrows",
    "lips": "Lips",
    "jaw": "Jaw and cheeks",
    "gaze": "Gaze",
    "head": "Head movement",
}
"""Settings that are gains, and their titles."""
_MOVES = {
    "smile": "Smile", "sad": "Mouth corners down", "jaw_open": "Mouth open", "lips_round": "Lips round",
    "blink": "Eyes shut", "wide_eyes": "Eyes wide", "brows_up": "Brows up", "frown": "Frown",
    "gaze_left": "Look to the right", "wink_left": "Wink (their left)", "wink_right": "Wink (their right)",
}  # fmt: skip
_BOTH_WAYS = ("smile", "gaze_left")
_PRESETS: dict[str, dict[str, float]] = {
    "Neutral": {},
    "Smile": {"smile": 1.0, "yaw": 8},
    "Surprise": {"brows_up": 1.2, "wide_eyes": 1.0, "jaw_open": 0.7},
    "Wink": {"wink_left": 1.0, "smile": 0.7, "roll": 6},
    "Look aside": {"yaw": 18, "gaze_left": 1.0},
}
_LIVE = ("strength", "eyes", "brows", "lips", "jaw", "gaze", "head")
_HEAD = """
<link rel="stylesheet" href="/parts/page.css">
<script src="/parts/webcam.js" defer></script>
"""


def mount(app: FastAPI, server: Server, cache: Path) -> None:
    """Put the page at the application's root. cache: the folder of Gradio's files."""
    keep = server.limits.keep
    blocks = build(server, cache / "examples", keep)
    font = ["system-ui", "sans-serif"]
    gr.mount_gradio_app(
        app,
        blocks,
        path="/",
        show_error=True,
        max_file_size=server.limits.upload_bytes,
        allowed_paths=[str(cache)],
        footer_links=[],
        theme=gr.themes.Default(font=font, font_mono=["ui-monospace", "monospace"]),
        head=_HEAD,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
    )


def build(server: Server, examples: Path, keep: float) -> gr.Blocks:
    """The page. examples: a folder to write the examples to. keep: seconds that uploads stay in the cache."""
    desk = Desk(server)
    found = write_examples(examples)
    age = max(int(keep), 1)
    with gr.Blocks(title="reenact", analytics_enabled=False, delete_cache=(min(age, 60), age)) as blocks:
        gr.HTML(_TITLE)
        held = gr.Textbox(visible="hidden", elem_id="held")
        with gr.Row():
            with gr.Column(scale=1, min_width=240):
                source = gr.File(label="Portrait", file_types=["image"], height=130, elem_id="source")
                astronaut = gr.Button("Example: NASA portrait", size="sm", elem_id="example-portrait")
                systems = [system.name for system in ready_systems()]
                system = gr.Dropdown(systems, value=DEFAULT_SYSTEM, label="System", elem_id="system")
                own = gr.HTML(elem_id="own")
            with gr.Column(scale=5, min_width=320), gr.Tabs():
                with gr.Tab("Animate"):
                    _animate_tab(desk, source, held, system, found)
                with gr.Tab("Pose"):
                    _pose_tab(desk, source, held, system)
                with gr.Tab("Webcam"):
                    _webcam_tab(held, system)
                with gr.Tab("Verify"):
                    _verify_tab(desk)
        source.change(desk.portrait, [source, held], [held, own], **_quiet("portrait"))
        astronaut.click(lambda: str(found[""]), None, source, **_quiet("example"))
    blocks.queue(default_concurrency_limit=8, max_size=100, api_open=False)
    return blocks


def _quiet(name: str, **more: Any) -> dict[str, Any]:
    """What every event of the page has in common: no public endpoint of Gradio's beside our API."""
    return {"api_visibility": "private", "concurrency_id": name, "concurrency_limit": 4, **more}


def _inputs(controls: Sequence[Any]) -> list[Any]:
    return [control.input for control in controls]


def _gains() -> dict[str, gr.Slider]:
    return {name: gr.Slider(0, 2, 1, step=0.05, label=title, elem_id=name) for name, title in _REGIONS.items()}


def _animate_tab(
    desk: Desk, source: gr.File, held: gr.Textbox, system: gr.Dropdown, found: dict[str, Path]
) -> None:
    driving = gr.State(None)
    job = gr.BrowserState("", storage_key="reenact-job")
    with gr.Row(elem_classes="re-desk"):
        with gr.Column(min_width=240, elem_classes="re-drive"), gr.Tabs():
            with gr.Tab("File"):
                given = gr.File(
                    label="Driving video, picture or motion file",
                    file_types=["video", "image", ".motion"],
                    height=130,
                    elem_id="driving",
                )
                with gr.Row():
                    examples = [gr.Button(title, size="sm", min_width=80) for title in EXAMPLES]
            with gr.Tab("Record"):
                record = gr.Video(label="Webcam", sources=["webcam"], include_audio=True, height=220)
        with gr.Column(min_width=320, elem_classes="re-stage"):
            with gr.Row(elem_classes="re-pictures"):
                beside = gr.HTML(elem_id="beside", elem_classes="re-two")
                preview = gr.HTML(elem_id="preview")
            with gr.Group():
                position = gr.Slider(
                    0, 1, 0.15, step=0.005, label="Moment of the driving file", elem_id="position"
                )
                landmarks = gr.Checkbox(False, label="Show the landmarks that were found", elem_id="landmarks")
            with gr.Row():
                run = gr.Button("Animate", variant="primary", elem_id="run")
                stop = gr.Button("Cancel", elem_id="cancel")
            progress = gr.HTML(elem_id="progress")
            result = gr.HTML(elem_id="result")
        with gr.Column(min_width=240, elem_classes="re-controls"):
            mode = gr.Dropdown(_MODES, value="relative", label="Motion")
            with gr.Accordion("Strength and regions", open=True):
                gains = _gains()
            with gr.Accordion("Time", open=False):
                smooth = gr.Slider(0, 3, 1, step=0.1, label="Smoothing", elem_id="smooth")
                anchor = gr.Number(
                    None, label="Anchor frame", info="Empty: found automatically", precision=0, minimum=0
                )
            with gr.Accordion("Output", open=False):
                compare = gr.Checkbox(False, label="Side by side")
                form = gr.Radio(["mp4", "webm", "gif"], value="mp4", label="Kind of video")
                label = gr.Textbox("", label="Visible label", placeholder="AI-generated", max_length=200)
                consent = gr.Textbox("", label="Consent, for the record", max_length=200)
    controls = [system, mode, *gains.values(), smooth, anchor]
    names = ["system", "motion", *gains, "smooth", "anchor"]

    def beside_of(held: str, driving: Driving | None, position: float, landmarks: bool) -> str:
        return desk.beside(held, driving, position, landmarks)

    def preview_of(held: str, driving: Driving | None, position: float, *values: Any) -> str:
        return desk.preview(held, driving, position, _settings(names, values))

    def follow_driving(path: str | None, tell: gr.Progress = gr.Progress()) -> tuple[Driving | None, str]:  # noqa: B008
        return desk.driving(path, lambda stage, done, total: tell((done, total), desc="Following the face"))

    async def start(
        source: str | None, driving: Driving | None, given: str | None, record: str | None, *values: Any
    ) -> AsyncIterator[tuple[str, str, str]]:
        settings = _settings([*names, "compare", "format", "label", "consent"], values)
        try:
            job = desk.start(source, driving, given or record, settings)
        except ReenactError as error:
            yield "", fragments.problem(plain(error)), ""
            return
        async for told, shown in desk.follow(job.id):
            yield job.id, told, shown

    async def resume(name: str) -> AsyncIterator[tuple[str, str]]:
        async for found in desk.follow(name or ""):
            yield found

    both = [held, driving, position]
    fast = {"show_progress": "hidden", "trigger_mode": "always_last"}
    # The newest position of a slider counts: what came in between is left out.
    moved = [*_inputs([position, *controls]), held.change]
    gr.on(moved, preview_of, [*both, *controls], preview, **fast, **_quiet("preview", queue=False))
    looked = [position.input, landmarks.input, held.change]
    gr.on(looked, beside_of, [*both, landmarks], beside, **fast, **_quiet("beside", queue=False))
    for file in (given, record):
        tracked = file.change(follow_driving, file, [driving, preview], **_quiet("driving"))
        tracked.then(preview_of, [*both, *controls], preview, show_progress="hidden", **_quiet("preview"))
        tracked.then(beside_of, [*both, landmarks], beside, show_progress="hidden", **_quiet("beside"))
    for button, title in zip(examples, EXAMPLES, strict=True):
        button.click(lambda path=str(found[title]): path, None, given, **_quiet("example"))
    inputs = [source, driving, given, record, *controls, compare, form, label, consent]
    run.click(
        start, inputs, [job, progress, result], show_progress="hidden", **_quiet("run", concurrency_limit=None)
    )
    stop.click(desk.cancel, job, None, **_quiet("cancel"))
    gr.on(
        None, resume, job, [progress, result], show_progress="hidden", **_quiet("run", concurrency_limit=None)
    )


def _settings(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    found = dict(zip(names, values, strict=True))
    found["anchor"] = "auto" if found.get("anchor") is None else int(found["anchor"])
    return {name: value for name, value in found.items() if value is not None}


def _pose_tab(desk: Desk, source: gr.File, held: gr.Textbox, system: gr.Dropdown) -> None:
    job = gr.State("")
    with gr.Row(elem_classes="re-desk"):
        with gr.Column(min_width=240, elem_classes="re-drive"), gr.Row():
            presets = [gr.Button(title, size="sm", min_width=80) for title in _PRESETS]
        with gr.Column(min_width=320, elem_classes="re-stage"):
            with gr.Row(elem_classes="re-pictures"):
                preview = gr.HTML(elem_id="pose-preview")
            with gr.Row():
                run = gr.Button("Make the picture", variant="primary", elem_id="pose-run")
                stop = gr.Button("Cancel")
            progress = gr.HTML(elem_id="pose-progress")
            result = gr.HTML(elem_id="pose-result")
        with gr.Column(min_width=240, elem_classes="re-controls"):
            with gr.Accordion("Head", open=True):
                angles = {
                    "yaw": _angle("Turn (right)", "yaw"),
                    "pitch": _angle("Nod (up)", "pitch"),
                    "roll": _angle("Tilt (clockwise)", "roll"),
                }
            with gr.Accordion("Expression", open=True):
                moves = {
                    name: gr.Slider(
                        -1 if name in _BOTH_WAYS else 0, 1.2, 0, step=0.05, label=title, elem_id=name
                    )
                    for name, title in _MOVES.items()
                    if name in EXPRESSIONS
                }
            with gr.Accordion("Action units (0 to 5)", open=False):
                units = {
                    unit: gr.Slider(0, 5, 0, step=0.1, label=f"AU{unit} {NAMES[unit]}", elem_id=f"au{unit}")
                    for unit in GLG_UNITS
                }
    sliders = [*angles.values(), *moves.values(), *units.values()]

    def pose_of(values: Sequence[float]) -> PoseSettings:
        turns, faces, rest = values[:3], values[3 : 3 + len(moves)], values[3 + len(moves) :]
        return PoseSettings(
            **dict(zip(angles, turns, strict=True)),
            expressions={name: value for name, value in zip(moves, faces, strict=True) if value},
            units={unit: value for unit, value in zip(units, rest, strict=True) if value},
        )

    def posed(held: str, system: str, *values: float) -> str:
        return desk.posed(held, system, pose_of(values))

    async def start(source: str | None, system: str, *values: float) -> AsyncIterator[tuple[str, str, str]]:
        try:
            job = desk.start(source, None, None, {"kind": "pose", "system": system, "pose": pose_of(values)})
        except ReenactError as error:
            yield "", fragments.problem(plain(error)), ""
            return
        async for told, shown in desk.follow(job.id):
            yield job.id, told, shown

    def preset(title: str) -> list[float]:
        wanted = _PRESETS[title]
        return [wanted.get(name, 0.0) for name in (*angles, *moves)] + [0.0] * len(units)

    gr.on(
        [*_inputs([*sliders, system]), held.change], posed, [held, system, *sliders], preview,
        trigger_mode="always_last", show_progress="hidden", **_quiet("preview", queue=False),
    )  # fmt: skip
    for button, title in zip(presets, _PRESETS, strict=True):
        button.click(
            lambda title=title: preset(title), None, sliders, show_progress="hidden", **_quiet("preset")
        ).then(posed, [held, system, *sliders], preview, show_progress="hidden", **_quiet("preview"))
    outputs = [job, progress, result]
    run.click(
        start,
        [source, system, *sliders],
        outputs,
        show_progress="hidden",
        **_quiet("run", concurrency_limit=None),
    )
    stop.click(desk.cancel, job, None, **_quiet("cancel"))


def _angle(title: str, name: str) -> gr.Slider:
    return gr.Slider(-MOST_DEGREES, MOST_DEGREES, 0, step=1, label=title, elem_id=name)


def _webcam_tab(held: gr.Textbox, system: gr.Dropdown) -> None:
    with gr.Row():
        with gr.Column(scale=5, min_width=320):
            gr.HTML((_STATIC / "webcam.html").read_text(encoding="utf-8"), elem_id="webcam")
        with gr.Column(scale=2, min_width=240):
            mode = gr.Dropdown(_MODES, value="relative", label="Motion")
            sliders = {
                name: gr.Slider(0, 2, 1, step=0.05, label=_REGIONS[name], elem_id=f"live-{name}")
                for name in _LIVE
            }
            smooth = gr.Slider(0, 3, 1, step=0.1, label="Smoothing")
    controls: dict[str, Any] = {"motion": mode, **sliders, "smooth": smooth}
    # These run in the browser alone: the settings go over the stream's own socket.
    for name, control in {**controls, "system": system}.items():
        control.change(
            None,
            control,
            None,
            js=f"(value) => window.reenactLive.set('{name}', value)",
            api_visibility="private",
        )
    held.change(None, held, None, js="(id) => window.reenactLive.portrait(id)", api_visibility="private")


def _verify_tab(desk: Desk) -> None:
    file = gr.File(label="A picture or video", height=130, elem_id="verify-file")
    shown = gr.HTML(elem_id="verify-result")
    file.change(desk.verify, file, shown, **_quiet("verify"))
