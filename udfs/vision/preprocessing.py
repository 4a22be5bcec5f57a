"""What networks are usually given of a face, by the family they are of; what a model's documentation calls
preprocessing.
"""

from dataclasses import dataclass

from udfs.vision.declaration import Crop
from udfs.vision.models import NETWORKS
from udfs.vision.own import Colour, CropRule


@dataclass(frozen=True)
class Preprocessing:
    """The crop, the order of its channels, and the range of its pixels: a network sees (pixel - shift) / scale."""

    crop: Crop
    colour: Colour
    shift: float
    scale: float

    def changed(
        self,
        *,
        crop: CropRule | None = None,
        side: int | None = None,
        colour: Colour | None = None,
        shift: float | None = None,
        scale: float | None = None,
    ) -> "Preprocessing":
        """The same with single values that are others; None: as they are."""
        return Preprocessing(
            crop=Crop(crop or self.crop.rule, side or self.crop.side, self.crop.margins),
            colour=colour or self.colour,
            shift=self.shift if shift is None else shift,
            scale=scale or self.scale,
        )


_FACENET = NETWORKS["facenet-vggface2"]

LIKE = {
    # insightface (Deng et al. 2019, "ArcFace") and those that follow it
    "arcface": Preprocessing(Crop("arcface", 112), "rgb", 127.5, 127.5),
    # Chen et al. 2018, "MobileFaceNets"
    "mobilefacenet": Preprocessing(Crop("arcface", 112), "rgb", 127.5, 128.0),
    # facenet-pytorch
    "facenet": Preprocessing(_FACENET.crop, "rgb", _FACENET.shift, _FACENET.scale),
    # dlib's face_recognition_model_v1; in some exports its preprocessing is part of the network: --shift 0 --scale 1
    "dlib": Preprocessing(Crop("eyes", 150), "rgb", 0.0, 1.0),
}
