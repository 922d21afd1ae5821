"""Words that tell nothing, or little, by themselves: of them vague answers are made."""

from __future__ import annotations

from relearn_lite.text.stems import stem
from relearn_lite.text.stop_words import STOP_WORDS
from relearn_lite.text.units import UNIT_WORDS

# "The first", "a part" and "mine" are no facts in a vague answer; the letters are what is left of I'd, don't, we've ...
FUNCTION_WORDS = STOP_WORDS | frozenset("first part mine yes s t d ll m re ve".split())
# Content words that vague answers are made of. They are compared by stem, unlike function words.
_VAGUE = """
person people information detail details particular particulars life lives live work works matter matters subject topic
question questions answer answers thing things way ways kind known know knows say says said tells tell told give gives
given include including various different certain general generally particular specific specifics exact exactly
currently current name names named called call new old big bad day age job man men lot end top set war art all www
http https com
""".split()
# Words that tell little ("takes", "located", "mainly"), and units without a number: facts only where nothing else is.
_GENERAL = """
take lose weigh cost own belong happen get go come keep hold put let bring become begin start stop find feel see look
show need want use try help run move stay sit stand mean follow turn remain choose receive serve spend pay meet earn
reach place give used located situated
mainly mostly primarily chiefly usually typically commonly widely actually specifically especially originally officially
""".split()
# "times" is left out: its stem is that of time, which may be what an answer is about.
GENERAL_STEMS = frozenset(stem(word) for word in (*_GENERAL, *UNIT_WORDS - {"times"}))
_CJK_VAGUE = """
可以 没有 他的 她的 的人 关于 有关 信息 资料 公开 具体 方面 这个 什么 知道 问题 生活 工作 个人 目前 现在 以及 因为
所以 情報 具体 公開 個人 詳細 質問 関係 仕事 生活 現在 것은 있는 있습 습니 니다 에서 으로 하는 에게 정보 대한 관한
""".split()
VAGUE_STEMS = frozenset(stem(word) for word in (*FUNCTION_WORDS, *_VAGUE)) | frozenset(_CJK_VAGUE)
