"""What an explanation says in words: of a decision of a night, and of a finding."""

from urllib.parse import unquote

from jobs.investigations.explained import Explained, FoundBy, SampleScore
from jobs.run.ledger import utc


def title(found: Explained) -> str:
    who = found.decided.name or found.decided.person_id
    if found.found is None:
        return f"Why {decision(found)}: {who}"
    return f"Why {found.found.asked} found this face"


def decision(found: Explained) -> str:
    """The decision, as a person says it: on a pair, that it is no match."""
    if found.found is not None and found.found.kind == "search" and found.decided.decision == "unknown":
        return "no match"
    return str(found.decided.decision.replace("_", " "))


def lead(found: Explained) -> str:
    decided, by = found.decided, found.found
    face = f"Face {decided.face_id} in {unquote(decided.uri)}"
    if by is None:
        return f"{face}, compared with gallery {decided.gallery_name}."
    if by.kind == "identify":
        return (
            f"{face}, compared with gallery {decided.gallery_name} by the investigation {by.investigation}:"
            f" {by.asked} is number {by.rank} of the persons that are nearest to it."
        )
    return (
        f"{face}, number {by.rank} of the faces that the investigation {by.investigation} found to be like {by.asked}."
    )


def key(sample: SampleScore) -> str:
    """Of its picture."""
    return f"sample {sample.row['sample_id']}"


def other(found: Explained) -> str:
    """What the face is compared with."""
    return "the registered photo" if found.of_person else "the face that was asked with"


def carrying(found: Explained) -> str:
    if not found.of_person:
        return "what was asked with"
    return "the photo that decided" if found.found is None else "the photo that it is most like"


def of_sample(sample: SampleScore) -> list[str]:
    registered = f"registered {utc(sample.row['enrolled_at']):%Y-%m-%d}"
    return [registered] if sample.in_force else [registered, "withdrawn or set aside since"]


def notes(found: Explained) -> list[str]:
    """Of a finding: how many strangers there are to be expected, and where the thresholds come from."""
    by = found.found
    if by is None:
        return []
    of = "pairs" if by.kind == "search" else "this gallery"
    told = (
        f"Findings keep no thresholds: shown are those for {of} that are in force now ({found.decided.threshold_id})."
    )
    if by.decision is not None:
        told += f" The face was decided to be {by.decision.replace('_', ' ')} when it was found."
    return [_strangers(by), told]


def _strangers(by: FoundBy) -> str:
    searched = f"{by.searched:,} {'faces' if by.kind == 'search' else 'samples'}"
    if by.strangers is None:
        return (
            f"How many of the {searched} that were compared are strangers as similar as this is not known: nothing has"
            " been calibrated. A similar face is no proof."
        )
    noted = "" if by.noted else ", by the calibration in force now"
    return (
        f"Among the {searched} that were compared, {by.strangers:.2g} of strangers are to be expected at this"
        f" similarity or above{noted}. A similar face is no proof."
    )


def without(found: Explained) -> str:
    if not found.of_person:
        return "It was asked with this face alone: without it there would be no finding."
    decided, person, score = found.without_carrying()
    if person is None or score is None:
        return "Nobody would be near this face: the decision would be unknown. It rests on this one photo."
    same = person == found.decided.person_id
    who = "the same person, by another photo" if same else person
    told = f"The nearest would be {who}, with score {score:.4f}, and the decision would be {decided.replace('_', ' ')}."
    if decided == found.decided.decision and same:
        return f"{told} It does not rest on this photo alone."
    return f"{told} It rests on this one photo: look at it well."


def nobody_else(found: Explained) -> str:
    if not found.of_person:
        return "It was found for no other question of the investigation."
    if found.found is not None and found.found.kind == "search":
        return "It was asked with this person alone."
    return "Nobody else who is registered is anywhere near."


def stranger(found: Explained) -> str:
    if not found.of_person:
        return ""
    if found.stranger is None:
        return "No other face of the lake was taken for anybody but this person."
    near, mine = found.stranger.similarity, found.carrying.similarity
    compared = "less" if near < mine else "no less"
    return (
        f"Of all faces ever seen that were not taken for this person, this one is most like their photos: {near:.4f}."
        f" That is {compared} than the face that is explained ({mine:.4f})."
    )
