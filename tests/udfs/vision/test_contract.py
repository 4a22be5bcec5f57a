from dataclasses import replace
from pathlib import Path

import pytest

from udfs.errors import InputError
from udfs.vision.contract import contract, settings_id
from udfs.vision.pipeline import FacePipeline
from udfs.vision.spec import VisionSpec

SPEC = VisionSpec(embedder="facenet-vggface2")


def test_what_makes_embeddings_comparable_is_in_the_contract() -> None:
    ids = {
        contract(spec).contract_id
        for spec in (
            SPEC,
            replace(SPEC, margin=0),
            replace(SPEC, flip=True),
            replace(SPEC, detector="mtcnn"),
            replace(SPEC, embedder="dlib-resnet-v1"),
            replace(SPEC, embedder="facenet-vggface2-int8"),
        )
    }
    assert len(ids) == 6


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"precision": "bf16"}, {"batch_size": 4}, {"minimum_face": 20}])
def test_what_does_not_is_not(change: dict[str, object]) -> None:
    assert contract(replace(SPEC, **change)).contract_id == contract(SPEC).contract_id


@pytest.mark.parametrize("change", [{"minimum_face": 20}, {"detection_score": 0.55}, {"maximum_side": 500}])
def test_what_decides_which_faces_are_found_is_in_the_settings(change: dict[str, object]) -> None:
    assert settings_id(replace(SPEC, **change)) != settings_id(SPEC)


@pytest.mark.parametrize("change", [{"detector": "haar"}, {"embedder": "arcface"}])
def test_unknown_models_are_named_with_the_known(change: dict[str, object]) -> None:
    with pytest.raises(InputError, match="use one of"):
        contract(replace(SPEC, **change))


def test_an_executor_with_other_code_refuses_to_work() -> None:
    with pytest.raises(InputError, match="driver's contract"):
        FacePipeline(replace(SPEC, contract_id="another"))


def test_a_gpu_that_is_absent_is_no_cpu(centerface_weights: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(InputError, match="has no GPU"):
        FacePipeline(replace(SPEC, device="cuda"))
