import json
import shutil

import pyarrow as pa
import pytest

from visanda import Corpus
from visanda.errors import CorpusError, InputError


@pytest.fixture
def corpus(tmp_path):
    corpus = Corpus.init(tmp_path / "study")
    with corpus.parts("media").writing():
        corpus.parts("media").append(pa.table({"id": ["a", "b"], "select": [1, 2]}), "1")
    return corpus


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (None, "there is no corpus in .*visanda init"),
        (b"format = = 1", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b'name = "study"', "has no format number: add the line 'format = 1'"),
        (b'format = "1"', "has no format number"),
        (b"format = 2", "made by a newer visanda .format 2; this one reads up to 1.: upgrade"),
        (b"format = 0", "says format 0, which no visanda ever wrote"),
    ],
)
def test_a_corpus_that_cannot_be_opened_says_what_is_wrong(corpus, settings, says):
    path = corpus.folder / "corpus.toml"
    path.unlink() if settings is None else path.write_bytes(settings)
    with pytest.raises(CorpusError, match=says):
        Corpus(corpus.folder)


def test_opening_looks_at_every_part(corpus):
    (part,) = corpus.parts("media").files()
    part.write_bytes(part.read_bytes()[:-50])
    with pytest.raises(CorpusError, match=r"part-1.parquet is damaged.*add the same folders again"):
        Corpus(corpus.folder)
    with pytest.raises(CorpusError, match=r"part-1.parquet is damaged"):
        corpus.query("SELECT * FROM media")


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"name": 1}', "\x00"])
def test_a_damaged_description_is_named(corpus, text):
    (corpus.folder / "tables" / "media" / "measure.json").write_text(text)
    with pytest.raises(CorpusError, match=r"measure.json is damaged.*--replace"):
        corpus.describe("media")


def test_a_corpus_is_made_once(corpus):
    with pytest.raises(CorpusError, match="there is a corpus in"):
        Corpus.init(corpus.folder)
    (corpus.folder.parent / "file").touch()
    with pytest.raises(CorpusError, match="cannot make"):
        Corpus.init(corpus.folder.parent / "file")


@pytest.mark.parametrize("name", ["final [2]", "what?", "a*b", "it's", 'say "hi"', "ü 🦋 #1 100%", "{a,b}"])
def test_the_folder_of_a_corpus_can_have_any_name(corpus, name):
    shutil.move(corpus.folder, corpus.folder.parent / name)
    moved = Corpus(corpus.folder.parent / name)
    assert moved.query("SELECT count(*) AS n FROM media").to_pylist() == [{"n": 2}]


def test_columns_named_like_words_of_sql_work_in_quotes(corpus):
    assert corpus.sql('select "select" from media order by id')["select"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("select nothing from media", "nothing"),
        ("selec 1", "syntax error"),
        ("select * from medias", "medias"),
        ("select cast('x' as int)", "Could not convert"),
    ],
)
def test_a_wrong_question_is_answered_with_what_is_wrong_in_it(corpus, question, says):
    with pytest.raises(InputError, match=f"SQL: .*{says}"):
        corpus.sql(question)


def test_a_question_without_an_answer_gives_nothing(corpus):
    assert corpus.sql("create table more as select 1 as one").shape[0] <= 1
    with pytest.raises(CorpusError, match=r"nowhere.csv"):
        corpus.sql("select * from 'nowhere.csv'")


def test_all_codes_can_be_asked(corpus):
    for coder, value in (("ann", "yes"), ("bob", "007")):
        path = corpus.folder / "codes" / "protest" / f"{coder}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'id,variable,coder,value,time,note\na,protest,{coder},{value},2026-01-01,"well, yes"\n')
    frame = corpus.sql("select coder, value, note from codes order by coder")
    assert frame.values.tolist() == [["ann", "yes", "well, yes"], ["bob", "007", "well, yes"]]


def test_a_table_is_asked_again_when_its_parts_were_merged_meanwhile(corpus, monkeypatch):
    parts = corpus.parts("media")
    with parts.writing():
        parts.append(pa.table({"id": ["c"], "select": [3]}), "2")
        stale = parts.files()
        parts.compact("run")
    real, answers = type(parts).files, [stale]
    monkeypatch.setattr(type(parts), "files", lambda self: answers.pop() if len(answers) and calls() else real(self))
    count = iter(range(100))

    def calls():
        return next(count) == 1  # the first call only asks whether there are any

    assert len(corpus.query("SELECT * FROM media")) == 3
    assert not answers


def test_names_of_tables_stay_in_the_corpus(corpus):
    with pytest.raises(InputError, match="cannot name a table"):
        corpus.parts("../elsewhere")


def test_files_in_the_corpus_move_with_it(corpus, tmp_path):
    inside, outside = corpus.folder / "media" / "a.jpg", tmp_path / "b.jpg"
    assert corpus.stored(inside) == "media/a.jpg"
    assert corpus.resolve(corpus.stored(inside)) == inside
    assert corpus.resolve(corpus.stored(outside)) == outside


def test_a_description_is_written_whole(corpus):
    corpus.write_description("media", {"name": "x", "arguments": {"ü": 1}})
    text = (corpus.folder / "tables" / "media" / "measure.json").read_text("utf-8")
    assert json.loads(text)["arguments"] == {"ü": 1}
