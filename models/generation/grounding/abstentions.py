"""Sentences that say that the passages don't hold the answer, in the common European languages and a few others."""

import re
import unicodedata

_TEXTS = (
    r"(?:passages?|contexts?|texts?|sources?|documents?|excerpts?|information|articles?|snippets?|materials?"
    r"|knowledge base|above|question)"
)
_TOLD = (
    r"(?:contain|provide|mention|say|state|hold|include|give|answer|specify|address|explain|cover|have|discuss|tell"
    r"|describe|define|indicate|reveal|offer|list|allow|detail|help)"
)
_OPENING = (
    r"^\W*(?:(?:i am |i'm |we are )?(?:very )?(?:sorry|unfortunately|apologies|regrettably|leider|es tut mir leid"
    r"|tut mir leid|malheureusement|desole|je suis desole|lo siento|lamentablemente|desafortunadamente|purtroppo"
    r"|mi dispiace|infelizmente|desculpe|helaas|het spijt me|niestety|к сожалению|извините)\W+(?:but |aber |mais "
    r"|pero |ma |mas )?)?"
    r"(?:(?:based on|according to|from|in|given|judging by) [\w ]{3,40}, )?"
)
_SAYINGS = (
    r"unanswerable\b",
    r"(?:the question|this question|this|that|it)(?: is|'s) (?:unanswerable|not answerable)",
    r"i (?:really |simply |just )?(?:do not|don't|cannot|can't|could not|couldn't|am not able to|am unable to|was"
    r" unable to)"
    r" (?:know|answer|find|determine|say|tell|provide|give|see|have (?:enough|any|the|sufficient|that))\b",
    r"(?:i'm|i am) (?:not sure|unable to|not able to)\b",
    rf"(?:the |these |those |this |your |any of the |none of the |neither of the )?(?:\w+ ){{0,2}}{_TEXTS}(?: (?:\w+"
    rf" )?(?:provided|given|above"
    rf"|supplied|i have|i was given|at hand|available))? (?:(?:do|does|did) not|don't|doesn't|didn't|cannot|can't)"
    rf" (?:\w+ )?{_TOLD}\b",
    rf"none of the (?:\w+ )?{_TEXTS} {_TOLD}s?\b",
    r"(?:there is|there's|there are|there was|i (?:found|have|see|can find)) (?:no|not enough|not any|insufficient)"
    r" (?:\w+ ){0,2}(?:information|answer|mention|data|details?|evidence|passages?|indication)\b",
    rf"(?:this|that|it|the answer|the information|such information|[\w' ]{{3,60}}) (?:is|are|was|were) not (?:\w+"
    rf" )?(?:mentioned|stated"
    rf"|found|given|specified|provided|answered|available|addressed|contained|included|described|discussed|covered"
    rf"|explained)"
    rf" (?:\w+ )?(?:in|by|from) (?:the |these |this |any |your )?(?:\w+ ){{0,2}}{_TEXTS}\b",
    r"(?:the answer|this|that|it) (?:is|was) not (?:\w+ )?(?:mentioned|stated|given|specified|provided|available"
    r"|known)\W*$",
    r"(?:it is|it's|it was) (?:not possible|impossible) to (?:answer|say|tell|determine)\b.{0,60}(?:passage|context"
    r"|text|source"
    r"|document|information|question|\W*$)",
    r"(?:the|this|that|your) question (?:cannot|can't|could not|can not) be answered\b",
    r"(?:no answer(?: (?:found|available|given))?|not (?:answerable|enough information|found|available|known)|n/a"
    r"|unknown"
    r"|no information(?: available| found)?|insufficient (?:information|context|data))\W*$",
    # German
    r"(?:das |dies )?(?:ich )?weiss (?:ich )?(?:es |das |leider |die antwort )*nicht\b|keine (?:angaben?|antwort"
    r"|information\w*)\W*$",
    r"(?:(?:in )?(?:die|den|diese\w*|der|dem) )?(?:\w+ )?(?:textstellen?|passagen?|abschnitte?n?|texte?n?|quellen?"
    r"|auszuge?n?|dokumente?n?"
    r"|kontext|textauszuge?n?|informationen) (?:\w+ )?(?:enthalt\w*|sag\w*|beantwort\w*|geb\w*|gibt|nenn\w*"
    r"|erwahn\w*|steht|stehen"
    r"|findet|finden|liefer\w*)\b.{0,80}\b(?:nicht|kein\w*|nichts)\b",
    r"(?:die frage|das|dies) (?:lasst sich|kann|konnte|ist)\b.{0,60}\b(?:nicht|un)\s?(?:\w+ )?(?:beantwort\w*|sagen"
    r"|ersichtlich)",
    r"(?:ich kann|dazu|hierzu|daruber)\b.{0,50}\b(?:nicht|keine?)\b.{0,30}(?:beantwort\w*|sagen|finden"
    r"|information\w*|angaben?)",
    r"(?:nicht beantwortbar|unbeantwortbar|nicht zu beantworten)\W*$",
    # French
    r"je (?:ne )?(?:le )?(?:sais|connais) pas\b|je ne (?:peux|trouve|dispose)\b.{0,20}\b(?:pas|aucune?)\b",
    r"(?:les|ces|le|ce|l'|aucun des) ?(?:\w+ )?(?:passages?|textes?|extraits?|documents?|sources?|contexte"
    r"|article)\b.{0,20}\bne? ?.{0,40}\b(?:pas|aucune?|rien)\b",
    r"(?:la|cette) question\b.{0,40}\bne? ?(?:peut|trouve)\b.{0,10}\bpas\b|il (?:est impossible|n'est pas possible)"
    r" de (?:repondre|dire)",
    r"(?:sans reponse|pas de reponse|aucune (?:information|reponse))\b",
    # Spanish, Italian, Portuguese
    r"(?:yo )?no (?:lo |la )?se(?: la respuesta)?\W*$|no (?:puedo|podria|es posible|se puede) (?:responder|contestar"
    r"|saber|determinar|encontrar|decir)",
    r"(?:los|las|el|la|estos?|estas?|ningun[ao]? de los) (?:\w+ )?(?:pasajes?|textos?|fragmentos?|documentos?"
    r"|fuentes?|contexto|informacion)"
    r"(?: \w+)? no (?:lo )?(?:contien|menciona|dic|proporciona|responde|incluy|indica|explica|especifica|da\b"
    r"|dan\b)\w*",
    r"(?:sin respuesta|no hay (?:informacion|respuesta|datos)|no se (?:menciona|indica|especifica))\b",
    r"(?:io )?non (?:lo )?so(?: la risposta)?\W*$|non (?:posso|e possibile|si puo) (?:rispondere|dire|determinare"
    r"|trovare)",
    r"(?:i|gli|il|lo|questi?|nessuno dei) (?:\w+ )?(?:passaggi|passi|brani|brano|testi|testo|documenti|contesto"
    r"|fonti)(?: \w+)? non"
    r" (?:lo )?(?:conten|menziona|dic|forni|rispond|includ|indica|spiega|specifica)\w*",
    r"(?:senza risposta|nessuna (?:informazione|risposta)|non ci sono informazioni)\b",
    r"(?:eu )?nao sei\b|nao (?:posso|e possivel|consigo|se pode) (?:responder|dizer|determinar|encontrar)",
    r"(?:as|os|o|a|estas?|estes?) (?:\w+ )?(?:passagens?|textos?|trechos?|documentos?|contexto|fontes?)(?: \w+)? nao"
    r" (?:o )?(?:cont|menciona|diz|fornec|respond|inclu|indica|explica|especifica)\w*",
    r"(?:sem resposta|nao ha (?:informac\w*|resposta))\b",
    # Dutch, Scandinavian languages, Polish, Czech, Finnish
    r"(?:dat )?(?:ik )?weet (?:ik )?(?:het |dat |dit )?niet\b|(?:de|het|deze) (?:\w+ )?(?:passages?|teksten?|tekst"
    r"|bronnen|fragmenten|context)"
    r" (?:\w+ )?(?:bevat\w*|vermeld\w*|zegt|zeggen|geven|geeft|noem\w*|beantwoord\w*)\b.{0,60}\b(?:niet|geen|niets)\b",
    r"(?:niet te beantwoorden|onbeantwoordbaar|geen (?:antwoord|informatie))\b",
    r"(?:det )?(?:jag vet|jeg ved|jeg vet|vet jag|ved jeg) (?:det |tyvarr )?(?:inte|ikke)\b|en tieda\b|nevim\b",
    r"(?:ja )?nie wiem\b|nie (?:moge|mozna|da sie) (?:odpowiedziec|znalezc|stwierdzic)|(?:fragmenty|teksty?|zrodla)"
    r" nie \w+|brak"
    r" (?:odpowiedzi|informacji)\b",
    # Russian, Ukrainian
    r"(?:я )?не знаю\b|(?:в|эти|данные) ?(?:\w+ )?(?:тексте?|отрывк\w*|фрагмент\w*|источник\w*|контекст\w*"
    r"|документ\w*)\b.{0,40}\b(?:не|нет)\b"
    r"|нет (?:ответа|информации|данных)\b|невозможно ответить",
    # Chinese, Japanese, Korean
    r"(?:对不起|抱歉)?[，, ]*(?:我)?(?:不知道|无法回答|不能回答|無法回答)|(?:文中|文章|段落|资料"
    r"|上下文|给定的?\w{0,6})(?:中)?(?:没有|并未|未|沒有)(?:提到|提及|说明"
    r"|提供|给出)",
    r"(?:わかりません|分かりません|回答できません|答えられません)|.{0,30}(?:記載|記述|言及|情報)(?:が|は)?(?:されて|あり|い)(?:い)?(?:ません|ない)",
    r".{0,20}(?:모르겠습니다|알 수 없습니다|답할 수 없습니다|언급(?:되어 있지|하지) 않)",
)


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in decomposed if not "\u0300" <= sign <= "\u036f"))


_ABSTAINS = re.compile(_without_accents(f"{_OPENING}(?:{'|'.join(_SAYINGS)})"))
_EMPHASIS = re.compile(r"[*_`]+")
# Longer ones say something else as well.
_LONGEST = 400


def abstains(sentence: str) -> bool:
    """Whether a sentence says that the passages do not hold the answer, or that the writer doesn't know it."""
    if len(sentence) > _LONGEST:
        return False
    plain = _without_accents(_EMPHASIS.sub("", sentence).replace("’", "'").casefold())
    return _ABSTAINS.match(" ".join(plain.split())) is not None
