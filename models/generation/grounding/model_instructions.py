"""Sentences that instruct a model ("ignore the previous instructions"), found in a dozen languages and taken out."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

_MARKS = re.compile("[\u0300-\u036f]")


def _without_accents(text: str) -> str:
    """Compatibility forms made plain, Latin, Greek and Cyrillic letters without their accents."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


# Where an order begins: at the start, after a pause, or after a word that leads to it; "we ignore" is none.
_ORDER = (
    r"(?:^\W*|[,;:.!?–—(\"'] ?|\b(?:please|kindly|must|should|shall|will|now|then|and|just|simply|you|to you|also) )"
)
_NEW = (
    r"(?:previous|prior|earlier|preceding|above|foregoing|former|initial|original|system|existing|your|all|any|every"
    r"|other)"
)
_FILLER = r"(?:the|of|these|those|my|our|that|this|safety|such|given|hidden|default|current|said)"
_RULES = (
    r"(?:instructions?|prompts?|directives?|commands?|rules|guidelines|guidance|guardrails|orders|context|passages?"
    r"|messages?|training|programming|constraints|restrictions|safeguards|polic(?:y|ies)|documents?|texts?|contents?"
    r"|conversation|sources?)"
)
_DROP = (
    r"(?:ignore|disregard|forget|override|bypass|neglect|discard|skip|(?:do not|don't|never|stop) (?:follow|obey|heed)"
    r"(?:ing)?|pay no attention to|delete|erase|drop|(?:set|put) aside|take no notice of)"
)
_MACHINE = r"(?:ai|a\.i\.|llms?|language models?|assistants?|chat ?bots?|bots?|gpt|chatgpt|gemini|claude|llama|agents?)"
_PERSONA = (
    rf"(?:{_MACHINE}|pirate|hacker|dan|jailbroken|unrestricted|unfiltered|uncensored|evil|character|persona|root|admin"
    r"|administrator|developer)"
)
_ENGLISH = (
    rf"{_ORDER}{_DROP} (?:(?:{_FILLER}|{_NEW}) )*?{_NEW} (?:(?:{_FILLER}|{_NEW}) )*{_RULES}\b",
    rf"{_ORDER}{_DROP} (?:(?:{_FILLER}|all|any|everything|what is|that is) )*(?:the )?(?:above|previous|foregoing)"
    r"(?= *(?:$|[.,;:!)]|and\b|but\b|or\b))",
    rf"{_ORDER}{_DROP} (?:everything|anything|all|whatever|what) (?:\w+ ){{0,3}}?"
    r"(?:above|before|previously|earlier|told|said|learned|know)\b",
    rf"{_ORDER}{_DROP} (?:the |these |those )?(?:instructions|prompt|directives)(?= *(?:$|[.,;:!)]|above|before|you))",
    rf"\byou are (?:now|no longer|henceforth|actually|going to be) (?:(?:a|an|the|my|in|called) )?(?:[\w-]+ ){{0,3}}?"
    rf"(?:{_PERSONA}|bound|free from|allowed to|able to do anything)\b",
    r"\b(?:developer|debug|god|jailbreak|dan|admin|unrestricted|sudo) mode (?:is )?(?:now )?(?:enabled|on|activated)\b",
    r"\b(?:enter|switch (?:in)?to|activate|enable) (?:developer|debug|god|jailbreak|dan|admin|unrestricted|sudo)"
    r" mode\b",
    r"\bdo anything now\b",
    rf"{_ORDER}{_DROP} (?:{_FILLER} |all |any )*(?:previous|prior|earlier|preceding) directions\b",
    rf"{_ORDER}{_DROP} (?:{_FILLER} |all |any |other )*other passages\b|\bdo not use the other passages\b",
    r"ignore(?:all|any|the|your)*(?:previous|prior|above)(?:instructions|prompts?|rules)",
    r"\b(?:the|this|every|any) (?:ai|assistant|chat ?bot|language model|llm) (?:must|shall|has to|is to) (?:\w+ )?"
    r"(?:say|state|answer|reply|respond|claim|tell|write|output|obey)\b",
    r"\b(?:tell|advise|urge|convince) the user (?:to|that)\b",
    r"\b(?:whatever|no matter what|anything) (?:is|you are|you're|the user|they|anyone) (?:asks?|asked)\b.{0,20}"
    r"\b(?:say|answer|reply|respond)\b",
    r"\banswer to (?:every|any|each|all)(?: \w+)? questions? (?:is|must be|shall be)\b",
    rf"\b(?:act|behave|respond|reply|roleplay|pretend)(?: as(?: if you were| though you were)?| to be| you are| that"
    rf" you"
    rf" are) (?:(?:a|an|the|my) )?(?:[\w-]+ ){{0,2}}?{_PERSONA}\b",
    r"\bfrom (?:now|here|this point) on(?:wards?)?,? (?:you (?:must|will|should|are|shall|have|can)|always|only|respond"
    r"|answer|reply|act|speak|pretend|ignore)\b",
    r"\b(?:reveal|show|repeat|print|output|display|leak|disclose|tell|give|share|quote|recite|dump|expose|write|copy"
    r"|summari[sz]e|translate|state)\b.{0,40}\b(?:your (?:\w+ ){0,2}(?:instructions|prompts?|rules|guidelines"
    r"|configuration)|(?:the |your )?(?:system|hidden|initial|secret) (?:prompt|instructions|message)"
    r"|the (?:text|words|instructions|prompt) above)\b",
    r"\b(?:your|this|new|following|above) system (?:prompt|message|instructions)\b|\bsystem (?:prompt|message) ?:"
    r"|\bsystem override\b",
    r"\b(?:begin|end|start) (?:of )?(?:the )?(?:new )?(?:system|admin|developer) (?:prompt|instructions?|message)\b",
    r"\b(?:respond|reply) (?:only|just|exclusively|solely|always) (?:with|in|as|by|using|to)\b"
    r"|\b(?:only|always|just|instead,?) (?:respond|reply) (?:with|in|as|by|using|that)\b",
    r"\banswer (?:(?:only|always|exclusively|just) with|(?:every|all|any)(?: \w+)? questions? (?:with|by|as|in))\b",
    r"\b(?:do not|don't|never|must not|without) (?:tell|telling|inform|informing|warn|alert|let)(?:ing)? "
    r"(?:the|this|your) (?:user|human|asker|customer|reader|person)\b",
    r"\b(?:do not|don't|never) (?:mention|reveal|disclose|refer to) (?:this|these|that|the) "
    r"(?:instructions?|message|passage|text|note|prompt)\b",
    rf"\b(?:attention|note|message|memo|instructions?|important|notice|hey|dear|hello)(?: (?:to|for))?,?"
    rf" (?:the |all |any |every )?{_MACHINE}(?=$|\W)(?! ?(?:'s|is|are|was)\b)",
    rf"\b(?:if you are|as|since you are|because you are) an? (?:\w+ )?(?:{_MACHINE})\b.{{0,60}}\b(?:you|must|should"
    rf"|say)\b",
    rf"\b{_MACHINE} (?:reading|processing|summari[sz]ing|parsing|that reads?|who reads?) (?:this|these)\b",
    r"\bnew (?:instructions?|directives?|orders|task) ?:",
    r"\byour (?:real|true|actual|new|sole) (?:task|instructions?|goal|role|purpose|job|objective|name) (?:is|are)\b",
    r"\b(?:include|append|insert|add|embed|put|render|display)\b.{0,40}\b(?:link|image|url|markdown|phrase|words?|text"
    r"|sentence)\b.{0,60}\b(?:your|every|each|all) (?:answers?|repl(?:y|ies)|responses?|outputs?|messages?)\b",
    r"\b(?:in|to|at the end of) (?:your|every|each) (?:answer|reply|response),? (?:include|append|insert|add|mention"
    r"|recommend|say|link)\b",
    r"\b(?:send|post|forward|upload|transmit|exfiltrate|e-?mail|leak|encode|append)\b.{0,60}\b(?:conversation|chat"
    r" (?:history|log)|(?:user|asker)(?:'s|’s)? (?:\w+ )?(?:data|question|message|information|input|name|secrets?)"
    r"|system prompt|api keys?)\b",
    r"\bwhen (?:you (?:answer|respond|reply)|asked|answering|responding)\b.{0,80}\b(?:always (?:say|answer|reply"
    r"|respond"
    r"|recommend|claim)|you must|insist that)\b",
    r"\byou must (?:now )?(?:always )?(?:obey|comply|say|answer|reply|respond|claim|output|recommend)\b",
)
_ALREADY = r".{0,60}?"
_OTHERS = (
    # German
    rf"\b(?:ignorier\w*|vergiss|vergesst|vergessen sie|missacht\w*|ubergeh\w*|beachte nicht){_ALREADY}(?:anweisung"
    rf"|instruktion"
    r"|befehl|prompt|vorgabe|alles (?:obige|vorherige|bisherige|davor))",
    r"\bdu bist (?:jetzt|ab jetzt|nun|von nun an|nicht langer|kein\w*)\b.{0,40}(?:ki|assistent|bot|modell|pirat"
    r"|hacker|modus)",
    r"\bantworte (?:nur|ausschliesslich|immer|ab jetzt) (?:mit|auf|noch|in)\b|\bsag\w* (?:dem|der) (?:be)?nutzer\w*"
    r" nicht",
    r"\b(?:gib|zeig\w*|verrat\w*|wiederhol\w*|nenn\w*)\b.{0,30}\b(?:deine?n?|ihre?n?|den|die)\b.{0,20}(?:anweisungen"
    r"|system-?prompt)",
    # French
    rf"\b(?:ignore[zr]?|oublie[zr]?|ne (?:tiens|tenez) (?:pas|aucun) compte|neglige[zr]?|fais abstraction) "
    rf"(?:de |d')?(?:les|toutes?|tous|tes|vos|ces|des|mes|tout)\b{_ALREADY}"
    r"(?:instructions|consignes|directives|ordres|tout ce qui precede)",
    r"\b(?:tu es|vous etes) (?:maintenant|desormais)\b.{0,40}(?:ia|assistant|bot|modele|pirate|hacker|mode)\b",
    r"\brepond(?:s|ez) (?:uniquement|seulement|toujours|exclusivement)\b|\bne (?:dis|dites|revele\w*) (?:pas"
    r"|rien)\b.{0,20}utilisateur",
    r"\b(?:revele|affiche|repete|montre|donne)[zr]?\b.{0,20}\b(?:tes|vos|les) (?:instructions|consignes)|\bprompt"
    r" systeme\b",
    # Spanish, Italian and Portuguese
    rf"\b(?:ignor[ae]|olvid[ae]|omit[ae]|haz caso omiso|no sigas|dimentica|trascura|esquec[ae]|desconsider[ea]|no"
    rf" hagas caso)"
    rf"\b{_ALREADY}(?:instrucciones|indicaciones|ordenes|reglas anteriores|istruzioni|indicazioni|comandi|regole"
    rf" precedenti"
    r"|instrucoes|ordens|comandos|regras anteriores|todo lo anterior|tudo acima|tutto quanto sopra)",
    r"\b(?:ahora eres|a partir de ahora eres|ora sei|adesso sei|da ora in poi sei|agora voce e|agora es)\b.{0,40}"
    r"(?:ia|asistente|assistente|bot|modelo|modello|pirata|hacker|modo|modalita)\b",
    r"\b(?:responde|responda|rispondi) (?:solo|solamente|unicamente|apenas|somente|sempre|siempre|soltanto"
    r"|exclusivamente)\b",
    r"\b(?:no (?:le )?(?:digas|reveles)|non (?:dire|rivelare)|nao (?:diga|conte|revele))\b.{0,20}(?:usuario|utente"
    r"|utilizador)",
    r"\b(?:revela|muestra|repite|mostra|ripeti|rivela|revele|mostre|repita)\b.{0,20}\b(?:tus instrucciones|tue"
    r" istruzioni"
    r"|suas instrucoes|el prompt|il prompt|o prompt)",
    # Dutch, Polish, Turkish
    rf"\b(?:negeer|vergeet){_ALREADY}(?:instructies|opdrachten|aanwijzingen)|\bje bent (?:nu|voortaan) een?\b.{{0,30}}"
    r"(?:ai|assistent|bot|piraat)|\bantwoord (?:alleen|uitsluitend|altijd) met\b|\bvertel de gebruiker niet",
    rf"\b(?:z?ignoruj|zapomnij|pomi[nń]){_ALREADY}(?:instrukcj|polece[nń]|wytyczn)|\bjeste[sś] teraz\b",
    r"(?:talimat|komut|yonerge)\w*.{0,30}(?:yok say|unut|gormezden gel|dikkate alma)",
    # Russian and Ukrainian
    rf"\b(?:про)?(?:игнорируй\w*|ігноруй\w*|забудь\w*|не обращай\w* внимания на){_ALREADY}(?:инструкци|указани"
    rf"|команд|вказівк|інструкц)",
    r"\bтеперь ты\b.{0,40}(?:ассистент|бот|ии|модель|пират|хакер)|\bотвечай(?:те)? только\b|\bне говори(?:те)?"
    r" пользовател",
    # Chinese, Japanese, Korean
    r"(?:忽略|无视|無視|忽视|忽視|忘记|忘記|不要理会|不要遵守).{0,14}(?:指令|指示|提示|命令|规则|規則)|你现在是.{0,20}(?:助手|机器人|模型|模式)|系统提示词",
    r"(?:指示|命令|プロンプト|ルール).{0,10}(?:無視|忘れ)|あなたは今から.{0,20}(?:です|になり)|システムプロンプト",
    r"(?:지시|명령|프롬프트|지침).{0,12}(?:무시|잊)|시스템 프롬프트",
    # Arabic, Hindi
    r"(?:تجاهل|انس|إنس).{0,40}(?:التعليمات|تعليمات|الأوامر|القواعد)",
    r"(?:निर्देश|आदेश).{0,40}(?:अनदेखा|नज़रअंदाज़|नजरअंदाज|भूल)",
)
_INSTRUCTS = re.compile("|".join(f"(?:{_without_accents(pattern)})" for pattern in (*_ENGLISH, *_OTHERS)))
# No sentence without one of these can match: a few quick looks spare most texts the long one.
_SIGNS = tuple(
    (  # noqa: SIM905 - a list of words reads better so
        "ignor|disregard|forget|overrid|bypass|neglect|discard|skip|follow|obey|heed|attention|delet|eras|drop|"
        "you|mode|anything now|roleplay|pretend|from here|from this point|system|secret|prompt|instruct|respon|"
        "repl|answer|user|human|asker|customer|reader|person|mention|reveal|disclos|refer to|assistant|gpt|"
        "gemini|claude|llama|agent|language model|llm|a.i.|directive|order|task|conversation|chat|api key|memo|"
        "act as|behave|anweisung|instruktion|befehl|vorgabe|alles|du bist|antwort|consigne|precede|tu es|"
        "vous etes|repond|utilisateur|indicac|ordenes|reglas|istruz|indicaz|comandi|regole|ordens|comandos|"
        "regras|ahora|sei|agora|rispond|usuario|utente|utilizador|opdracht|aanwijzing|je bent|gebruiker|polece|"
        "wytyczn|jeste|talimat|komut|yonerge|other passages|text above|words above|"
        "instructions above|robot|chatbot|pirate"
    ).split("|")
)
_OTHER_SCRIPT = re.compile("[\u0370-\u1fff\u3040-\ud7ff]")
_SHORT_SIGNS = re.compile(r"\b(?:a\.?i|bots?)\b")
# What follows such a sentence in the same paragraph and goes on ordering belongs to it.
_GOES_ON = re.compile(
    r"^\W*(?:(?:instead|then|just|only|always|now|and|also|please|rather|again|finally|stattdessen|dann|ensuite"
    r"|en su lugar|invece)\b,? ?)*"
    r"(?:say|answer|reply|respond|output|print|write|tell|state|claim|repeat|begin|start|end|include|add|append|pretend"
    r"|act|call|send|visit|click|open|use|translate|speak|do not|don't|never|always|you|your|instead|from now on|it is"
    r" important that you|sag\w*|antworte\w*|schreib\w*|gib|behaupte|reponds|repondez|dis|dites|ecris|responde|di"
    r"|escribe"
    r"|rispondi|scrivi|responda|diga|escreva)\b"
)
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"”»’)\]*_]*\s+|(?<=[。！？])|\s*\n\s*|\Z")
_MIXED = re.compile(r"\b(?=\w*[a-z])(?=\w*[а-яіѕјԁα-ω])\w+\b")
_LOOK_ALIKES = str.maketrans("аеорсухікмнтвѕјԁԛԝνορατικε", "aeopcyxikmhtbsjdqwvopatike")
# "1gnore", "instruct1ons"
_DISGUISED = re.compile(r"\b(?=\w*[a-z]{3})(?=\w*[013457])[a-z013457]+\b")
_DIGITS = str.maketrans("013457", "oieast")
_SPACED_OUT = re.compile(r"\b(?:\w[ .-]){4,}\w\b")
_EMPHASIS = re.compile(r"[*_`~\\]+")


def without_instructions(text: str) -> str:
    """Give a text without the sentences that instruct a model, and those after them that go on doing so.

    Takes linear time; what is left is as it was, character for character.
    """
    whole = _plain(text)
    if not _shows_signs(whole):
        return text
    parts = [(sentence, gap, _plain(sentence)) for sentence, gap in _parts(text)]
    orders = _orders([plain for _, _, plain in parts])
    if not any(orders):
        return text
    kept: list[str] = []
    drops = False
    for (sentence, gap, plain), is_order in zip(parts, orders, strict=True):
        drops = is_order or (drops and (not plain or bool(_GOES_ON.match(plain))))
        if not drops:
            kept.append(sentence + gap)
        elif gap.count("\n") > 1:
            kept.append(gap)
            drops = False
    return "".join(kept)


def _orders(sentences: Sequence[str]) -> list[bool]:
    """Which sentences instruct a model, alone or together with a neighbour that a line's end cuts them off from."""
    found = [_instructs(sentence) for sentence in sentences]
    for at, (first, second) in enumerate(pairwise(sentences)):
        if not found[at] and not found[at + 1] and _instructs(f"{first} {second}"):
            found[at] = found[at + 1] = True
    return found


def _instructs(plain: str) -> bool:
    return _shows_signs(plain) and _INSTRUCTS.search(plain) is not None


def _shows_signs(plain: str) -> bool:
    if any(sign in plain for sign in _SIGNS) or _SHORT_SIGNS.search(plain):
        return True
    return not plain.isascii() and _OTHER_SCRIPT.search(plain) is not None


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """The sentences, roughly, each with the white space after it."""
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if end.end() > start:
            gap = end[0].lstrip('"”»’)]*_')
            yield text[start : end.end() - len(gap)], gap
            start = end.end()


def _plain(text: str) -> str:
    """A text as it is read: without accents, emphasis, look-alikes of other scripts and blanks between letters."""
    text = html.unescape(text) if "&" in text else text
    text = text.replace("’", "'") if text.isascii() else _without_accents(text.replace("’", "'"))
    text = " ".join(_EMPHASIS.sub("", text).casefold().split())
    text = _DISGUISED.sub(lambda match: match[0].translate(_DIGITS), text)
    text = _SPACED_OUT.sub(lambda match: re.sub(r"[ .-]", "", match[0]), text)
    return text if text.isascii() else _MIXED.sub(lambda match: match[0].translate(_LOOK_ALIKES), text)
