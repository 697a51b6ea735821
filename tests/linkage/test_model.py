"""What would be lost: knowing which model said so, and that nobody turned its weights by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from safelight.demo.people_records import make_people
from safelight.linkage import LinkageError, LinkStore, Model, Thresholds, shipped_model, untrained_model


def test_a_model_comes_back_from_its_file_and_keeps_its_version(tmp_path: Path) -> None:
    model = shipped_model()
    again = Model.load(model.save(tmp_path / "model.json"))
    assert again == model and again.version == model.version
    assert model.report["how"].startswith("labelled")
    for values in (*model.m.values(), *model.u.values()):
        assert sum(values) == pytest.approx(1, abs=0.001) and min(values) > 0


def test_a_model_changed_by_hand_or_for_another_version_is_refused(tmp_path: Path) -> None:
    path = shipped_model().save(tmp_path / "model.json")
    data = json.loads(path.read_text())
    for change, words in (
        ({"prior": 0.5}, "changed by hand"),
        ({"structure": 0}, "other comparisons"),
        ({"comparisons": []}, "not a linkage model"),
    ):
        path.write_text(json.dumps(data | change))
        with pytest.raises(LinkageError, match=words):
            Model.load(path)
    with pytest.raises(LinkageError, match="cannot be read"):
        Model.load(tmp_path / "none.json")
    with pytest.raises(LinkageError, match="out of order"):
        Thresholds(join=1, split=2, review=3)


def test_training_learns_from_the_records_and_says_what_it_saw(store: LinkStore) -> None:
    store.add("synthetic", make_people(600, seed=4).records)
    first, again = store.train(seed=2), store.train(seed=2)
    assert first.version == again.version != untrained_model().version
    assert first.report["records"] == 936 or first.report["records"] > 700
    assert 1e-5 < first.prior < 1e-2
    # Without labels the way records of one person differ is kept, unless it is asked for.
    assert first.m == untrained_model().m
    assert store.train(learn_m=True).m != untrained_model().m


def test_too_few_records_to_train_on(store: LinkStore) -> None:
    with pytest.raises(LinkageError, match="too few to train on"):
        store.train()
