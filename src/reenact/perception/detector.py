"""Faces as 478 points: where they are in a still, and how they move through a clip.

A face is looked for with MediaPipe's two bundled detectors (short and full range), on the whole picture
first and then, if need be, on tiles, with the contrast stretched, and turned by quarters. What they find is
only a region: the mesh network looks at it, says whether it is a face, and is run again on the region that
its own points ask for, so that the points do not depend on how the face was found. In a clip, that region is
the track.

Source of the region rules: MediaPipe's graphs `face_detection_front_detection_to_roi` and
`face_landmark_landmarks_to_roi` (bounding square, sides times 1.5, turned upright by the eyes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, Protocol

import numpy as np
from PIL import Image as Pil

from reenact.errors import ReenactError
from reenact.geometry.head_field import smoothstep
from reenact.geometry.opencv import opencv
from reenact.geometry.schemes import LIPS_INNER, LIPS_OUTER, MESH_FLIP
from reenact.perception.finders import MARGIN, Finders, Region, Rgb, stretched, tiles
from reenact.perception.graphs import Graph, as_rgb, part
from reenact.types import Floats, Image, Landmarks, Points

SMALLEST_FACE = 32.0
"""Pixels. Below this the mesh is a guess: callers refuse such a face as source or driving."""
_SETTLE = 8

_LANDMARK_GRAPH = """
input_stream: "image"
input_stream: "region"
input_side_packet: "with_attention"
output_stream: "landmarks"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:region"
  input_side_packet: "WITH_ATTENTION:with_attention"
  output_stream: "LANDMARKS:landmarks"
}
"""
_SCORE = "facelandmarkcpu__face_presence_score"
_INPUT = 192  # pixels a side that the mesh network sees
_EYE_CORNERS = (33, 263)  # the outer corners, right eye then left
_TURNS = (1, 3, 2)  # quarters, the likelier first
_CERTAIN = 0.9999  # 98 % of portraits read upright score more; readings on their head, and things, less
_LIKELY = 0.999  # the least score of a face in a still; a mesh that scores less does not fit (full profiles)
_UNSEEN = (0.8, 1.1)  # regions tried unasked, as shares of the shorter side: portraits the detectors do not see
_LIPS = np.concatenate([LIPS_OUTER, LIPS_INNER])
_CONFIRMED = (0.015, 0.03)
"""Sizes of the face by which another reading has the lips elsewhere, up to which a reading stands, and from
which the others do. First frames of 38 clips differ by .010 at most, 75 % of 348 portraits by .008."""
_BLUR = 0.0068  # of the region's side, one standard deviation
_TURN_COST = 10.0  # how much likelier the turned reading must be


class DetectorProtocol(Protocol):
    """What every face detector offers; each is a context manager as well."""

    def __enter__(self) -> DetectorProtocol:
        """The detector."""

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def detect(self, image: Image) -> list[Landmarks]:
        """All faces found, at most the number asked for, the largest first."""

    def close(self) -> None:
        """Free what the detector holds."""


class MeshNetwork:
    """MediaPipe's attention mesh on a region of a picture."""

    def __init__(self) -> None:
        blank = np.zeros((64, 64, 3), np.uint8)
        self._graph = Graph(
            _LANDMARK_GRAPH,
            outputs=("landmarks", _SCORE),
            side={"with_attention": True},
            warm_up={"image": blank, "region": _message(Region(32, 32, 48, 0), 64, 64)},
        )

    def read(self, rgb: Rgb, region: Region) -> tuple[Points | None, float]:
        """(478, 3) points in pixels, None where there is no face; and the network's score for one, 0 to 1."""
        crop, x0, y0, step = _shrunk_around(rgb, region)
        height, width = crop.shape[:2]
        local = Region((region.x - x0) / step, (region.y - y0) / step, region.side / step, region.angle)
        out = self._graph.run(image=crop, region=_message(local, width, height))
        score = float(out[_SCORE]) if out[_SCORE] is not None else 0.0
        if out["landmarks"] is None:
            return None, score
        points = np.array([(p.x, p.y, p.z) for p in out["landmarks"].landmark], np.float32)
        points *= np.array([width, height, width], np.float32) * step
        points[:, :2] += np.array([x0, y0], np.float32)
        return points, score

    def close(self) -> None:
        """Stop the graph."""
        self._graph.close()


class MeshDetector:
    """The default detector: 478 points of each face.

    video: False looks at each picture anew; True follows the faces from one call to the next, which is
    faster and steadier, and looks again when one is lost. max_faces: how many to return at most.
    Use as a context manager or call `close`. Not to be shared between threads.
    """

    def __init__(self, *, video: bool = False, max_faces: int = 1) -> None:
        if max_faces < 1:
            raise ReenactError(f"max_faces is {max_faces}; it must be at least 1")
        self._video, self._max_faces = video, max_faces
        self._mesh = MeshNetwork()
        self._finders = Finders()
        self._tracks: list[Points] = []

    def __enter__(self) -> MeshDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the graphs; a second call does nothing."""
        self._mesh.close()
        self._finders.close()

    def reset(self) -> None:
        """Forget the faces that are followed (a new clip)."""
        self._tracks = []

    def detect(self, image: Image) -> list[Landmarks]:
        """Faces in (H, W, 3 or 4) uint8, the largest first, each (478, 3) pixels in scheme 'mesh478'.

        z has the unit of x. An empty list where there is no face. Transparent pixels count as grey.
        """
        rgb = as_rgb(image)
        faces = self._follow(rgb) if self._video else []
        if len(faces) < self._max_faces:
            faces = self._search(rgb, faces)
        faces.sort(key=_size, reverse=True)
        self._tracks = faces
        return [Landmarks(points, "mesh478") for points in faces]

    def look(self, image: Image, region: Region) -> Landmarks | None:
        """The face in one region of a picture, as of a face that was followed there; None where it is lost."""
        rgb = as_rgb(image)
        points, _ = self._mesh.read(rgb, region)
        return Landmarks(points, "mesh478") if points is not None and _plausible(points, rgb) else None

    def confirmed(self, image: Image, face: Landmarks) -> Landmarks:
        """The points of a face that was found in a still (H, W, 3 or 4), as most readings have them.

        The network takes a moustache for lips where these hide below it, in 6 of 100 old portraits; mirrored or
        blurred it does so less often. Where the lips of such a reading are elsewhere, the median of three is
        taken; an ordinary face is returned as it is.
        """
        rgb = as_rgb(image)
        first = self._read_otherwise(rgb, face.points, mirrored=True, blurred=True)
        if first is None or _lips_apart(face.points, first) < _CONFIRMED[0]:
            return face
        more = [self._read_otherwise(rgb, face.points, *ways) for ways in ((True, False), (False, True))]
        middle = np.median([points for points in (first, *more) if points is not None], axis=0)
        share = np.float32(smoothstep(_lips_apart(face.points, middle), *_CONFIRMED))
        return Landmarks((face.points + share * (middle - face.points)).astype(np.float32), face.scheme)

    def _read_otherwise(self, rgb: Rgb, points: Points, mirrored: bool, blurred: bool) -> Points | None:
        """The face at `points` read in a changed copy of the picture, in the picture's own pixels."""
        region = region_of(points)
        crop, x0, y0, step = _shrunk_around(rgb, region)
        local = Region((region.x - x0) / step, (region.y - y0) / step, region.side / step, region.angle)
        if blurred:
            crop = opencv().GaussianBlur(crop, (0, 0), _BLUR * local.side)
        if mirrored:
            crop = np.ascontiguousarray(crop[:, ::-1])
            local = replace(local, x=crop.shape[1] - local.x, angle=-local.angle)
        found, _ = self._read_twice(crop, local)
        if found is None:
            return None
        if mirrored:
            found = found[MESH_FLIP] * np.array([-1, 1, 1], np.float32)
            found[:, 0] += crop.shape[1]
        return found * np.float32(step) + np.array([x0, y0, 0], np.float32)

    def _follow(self, rgb: Rgb) -> list[Points]:
        faces: list[Points] = []
        for track in self._tracks:
            points, _ = self._mesh.read(rgb, region_of(track))
            if points is not None and _plausible(points, rgb) and not _known(points, faces):
                faces.append(points)
        return faces

    def _search(self, rgb: Rgb, faces: list[Points]) -> list[Points]:
        """`faces` and what else is found, trying harder only while nothing is."""
        for attempt in self._attempts(rgb, thorough=not self._video or not faces):
            for region in attempt:
                points = self._refine(rgb, region)
                if points is not None and not _known(points, faces):
                    faces.append(points)
            if faces and (self._max_faces == 1 or len(faces) >= self._max_faces):
                break
        return sorted(faces, key=_size, reverse=True)[: self._max_faces]

    def _attempts(self, rgb: Rgb, thorough: bool) -> Iterator[list[Region]]:
        """Regions to look at: whole picture, tiles, stretched, turned; each list the larger first."""
        yield self._finders.find(rgb)
        if not thorough:
            return
        if max(rgb.shape[:2]) > 384:
            yield self._finders.find_in(rgb, tiles(rgb, 2))
        clear = stretched(rgb)
        yield self._finders.find(clear)
        for quarters in _TURNS:
            yield self._finders.find_turned(rgb, quarters)
        yield [Region(rgb.shape[1] / 2, rgb.shape[0] / 2, share * min(rgb.shape[:2]), 0) for share in _UNSEEN]
        for parts in (4, 8):
            if max(rgb.shape[:2]) > 256 * parts:
                yield self._finders.find_in(rgb, tiles(rgb, parts), far=True)

    def _refine(self, rgb: Rgb, region: Region) -> Points | None:
        """Points of the face in `region`, read again where the first reading says it is.

        A reading short of certain may stand on its head, or be no face at all: then the turned region is read
        too, and has to be certain to be believed.
        """
        points, score = self._read_twice(rgb, region)
        if score < _CERTAIN:
            turned = [replace(region, angle=region.angle + quarters * np.pi / 2) for quarters in _TURNS]
            best, best_score = max((self._read_twice(rgb, r) for r in turned), key=lambda reading: reading[1])
            if best is not None and best_score > _CERTAIN and _odds(best_score) > _TURN_COST * _odds(score):
                points, score = self._mesh.read(rgb, region_of(best))
        return points if points is not None and score > _LIKELY and _plausible(points, rgb) else None

    def _read_twice(self, rgb: Rgb, region: Region) -> tuple[Points | None, float]:
        first, score = self._mesh.read(rgb, region)
        return (None, score) if first is None else self._mesh.read(rgb, region_of(first))


def open_detector(name: Literal["mesh", "fan"] = "mesh", *, max_faces: int = 1) -> DetectorProtocol:
    """A detector by name: 'mesh', the default (478 points), or 'fan' (68 points, `perception.fan`, optional).

    Raises ReenactError for another name, and where the package of the one asked for is not installed.
    """
    if name == "mesh":
        return MeshDetector(max_faces=max_faces)
    if name == "fan":
        from reenact.perception.fan import FanDetector

        return FanDetector(max_faces=max_faces)
    raise ReenactError(f"no detector is called {name!r}; there are 'mesh' and 'fan'")


class FaceFollower:
    """One face of a clip, kept on the same person.

    choice: 'largest', or the number of the face counted from the left in the first frame that shows one,
    from 0. The face is held by continuity; after a loss the face nearest in place and size takes over.
    max_faces: how many are looked at in that choice.
    """

    def __init__(self, choice: Literal["largest"] | int = "largest", *, max_faces: int = 16) -> None:
        self._choice, self._max_faces = choice, max_faces
        self._last: Landmarks | None = None
        self._region: Region | None = None
        self._one = MeshDetector(max_faces=1)
        self._many: MeshDetector | None = None

    def __enter__(self) -> FaceFollower:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the graphs."""
        self._one.close()
        if self._many is not None:
            self._many.close()

    def track(self, image: Image) -> Landmarks | None:
        """The face in the next frame, or None where it is not seen.

        Raises ReenactError when the first frame with a face has too few of them for the number asked for.
        """
        found = None
        if self._last is not None:
            self._region = steady_region(region_of(self._last.points), self._region)
            found = self._one.look(image, self._region)
        if found is None:
            found = self._settled(image, self._find(image))
        self._last = found if found is not None else self._last
        return found

    def _settled(self, image: Image, found: Landmarks | None) -> Landmarks | None:
        """A face that was just found, read again and again from its own region until it stands: what is tracked
        would else creep for the first frames."""
        for _ in range(_SETTLE if found is not None else 0):
            assert found is not None
            self._region = steady_region(region_of(found.points), self._region)
            found = self._one.look(image, self._region) or found
        return found

    def _find(self, image: Image) -> Landmarks | None:
        if self._last is None:
            faces = self._all(image) if self._choice != "largest" else self._one.detect(image)
            return choose_face(faces, self._choice) if faces else None
        faces = self._all(image)
        return min(faces, key=self._distance) if faces else None

    def _all(self, image: Image) -> list[Landmarks]:
        if self._many is None:
            self._many = MeshDetector(max_faces=self._max_faces)
        return self._many.detect(image)

    def _distance(self, face: Landmarks) -> float:
        """How far `face` is from where the followed one was, in its sizes; a change of size counts too."""
        assert self._last is not None
        size = face_size(self._last)
        away = np.linalg.norm(_centre(face.points) - _centre(self._last.points)) / size
        return float(away + abs(np.log(face_size(face) / size)))


def steady_region(wanted: Region, held: Region | None) -> Region:
    """`held` while `wanted` hardly differs from it. The network's points depend a little on the region it is
    shown; a region taken anew from each frame's points feeds their tremble back."""
    if held is None:
        return wanted
    away = np.hypot(wanted.x - held.x, wanted.y - held.y) / held.side
    grown, turned = abs(wanted.side / held.side - 1), abs(wanted.angle - held.angle)
    return held if away < 0.02 and grown < 0.03 and turned < 0.03 else wanted


def choose_face(faces: list[Landmarks], choice: Literal["largest"] | int) -> Landmarks:
    """One of `faces`: the largest, or number `choice` from the left, from 0. ReenactError if there is none."""
    if not faces:
        raise ReenactError("no face was found; use a picture that shows one clearly, at least 32 pixels across")
    if choice == "largest":
        return max(faces, key=face_size)
    if not 0 <= choice < len(faces):
        plural = "face was" if len(faces) == 1 else "faces were"
        raise ReenactError(
            f"face {choice} was asked for, but {len(faces)} {plural} found; "
            f"give a number from 0 (leftmost) to {len(faces) - 1}, or 'largest'"
        )
    return sorted(faces, key=lambda face: float(face.points[:, 0].mean()))[choice]


def face_size(landmarks: Landmarks) -> float:
    """The longer side of the points' bounding box, in pixels."""
    return _size(landmarks.points)


def _lips_apart(first: Points, second: Points) -> float:
    """How far the lips' middle is from that of another reading, in sizes of the face."""
    away = (first[_LIPS, :2] - second[_LIPS, :2]).mean(0)
    return float(np.hypot(*away)) / _size(first)


def region_of(points: Points) -> Region:
    """The square that the mesh network wants to see for a face at `points` (478, 2 or 3), in pixels."""
    right, left = points[_EYE_CORNERS[0], :2], points[_EYE_CORNERS[1], :2]
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    x, y = (low + high) / 2
    side = float((high - low).max()) * MARGIN
    return Region(float(x), float(y), side, float(np.arctan2(left[1] - right[1], left[0] - right[0])))


def _message(region: Region, width: int, height: int) -> object:
    return part("framework.formats.rect_pb2").NormalizedRect(
        x_center=region.x / width,
        y_center=region.y / height,
        width=region.side / width,
        height=region.side / height,
        rotation=region.angle,
    )


def _shrunk_around(rgb: Rgb, region: Region) -> tuple[Rgb, int, int, int]:
    """The part of the picture that `region` can touch, averaged down where the network would skip pixels."""
    height, width = rgb.shape[:2]
    step = max(1, int(region.side / _INPUT / 1.5))
    if step == 1:
        return rgb, 0, 0, 1
    reach = region.side * 0.75
    x0, x1 = int(max(region.x - reach, 0)), int(np.ceil(min(region.x + reach, width)))
    y0, y1 = int(max(region.y - reach, 0)), int(np.ceil(min(region.y + reach, height)))
    if x1 - x0 < step or y1 - y0 < step:
        return rgb, 0, 0, 1
    x1, y1 = x1 - (x1 - x0) % step, y1 - (y1 - y0) % step
    return np.asarray(Pil.fromarray(rgb[y0:y1, x0:x1]).reduce(step)), x0, y0, step


def _odds(score: float) -> float:
    return score / max(1.0 - score, 1e-9)


def _size(points: Points) -> float:
    return float((points[:, :2].max(0) - points[:, :2].min(0)).max())


def _centre(points: Points) -> Floats:
    centre: Floats = (points[:, :2].min(0) + points[:, :2].max(0)) / 2
    return centre


def _plausible(points: Points, rgb: Rgb) -> bool:
    """False for a mesh that has collapsed or has left the picture."""
    x, y = _centre(points)
    return _size(points) > 8 and -0.1 < x / rgb.shape[1] < 1.1 and -0.1 < y / rgb.shape[0] < 1.1


def _known(points: Points, faces: list[Points]) -> bool:
    """True where a face of about this place is in the list already."""
    return any(
        np.linalg.norm(_centre(points) - _centre(other)) < 0.4 * max(_size(points), _size(other))
        for other in faces
    )
