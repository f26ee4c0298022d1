"""Words by which a mention is known to be denied, asked about, supposed, told, past, or not of a person."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


NEGATORS = _set(
    "no not without never nor neither zero dont doesnt didnt havent hasnt hadnt isnt arent wasnt werent wouldnt couldnt"
    " none cant wont"
)
"""Words that deny what follows."""

DENYING = (NEGATORS - {"cant", "wont", "couldnt"}) | _set("deny denies denied neg negative far nobody noone")
"""Those that say, before a mention, that it is not so; "can't" and "won't" tell of an illness more often."""

NO_NEGATION = _set(
    "only just know understand sure even longer idea matter doubt get stop help joke joking kidding lie lying better"
    " improving relief wonder clue going"
)
"""After a "not" these make it deny nothing of what follows: "not only", "don't know why"."""

TRANSPARENT = _set(
    """
    any a an the my his her their this that of or and nor real really actual actually severe bad serious major sharp
    crushing sudden high new other significant obvious visible strong such much more further signs sign symptoms symptom
    feeling feelings feel felt having have had has get getting got been being be experience experienced experiencing
    notice noticed seen see show showing want wanted think thinking thought thoughts to am is are was at all like suffer
    suffered from ever trouble problem problems with history evidence in plan planning plans intend intention do done
    did would will take took taken swallow swallowed cough coughed coughing up vomited vomit passed pass black lost lose
    drunk drank hit burn burned harmed hurt fainted
    """
)
"""What may stand between a "not" and what it denies."""

TURNS = _set("but however although though yet except now because since then suddenly while still today tonight")
"""Words at which a "not" ends."""

SUBJECTS = _set("i he she we they it you")
OR = _set("or nor")
LISTING = _set("denies denied deny denying neither")
"""After these a whole list is denied, up to its end."""

ANSWERS_NO = _set("no none nil negative denied denies absent never nope")

ASKING = tuple(
    tuple(opening.split())
    for opening in """
    what is|are|the|a|an
    what is|are|causes|cause|does|do|happens|can|should|would|makes|triggers|exactly
    what to do
    which
    who
    why do|does|is|are|can
    how do|does|is|are|can|to|long|many|much|common|often|quickly|fast|would|should
    can|could|does|do|is|are|will|would|should
    define|explain|describe|list|write|translate|summarise|summarize|spell|studying|quiz
    tell me about|what|how|the
    teach|give me
    difference between
    symptoms|signs|treatment|causes|prevention|meaning of
    first aid
    i am studying|writing|researching|reading|preparing|revising
    we are studying|writing|learning
    when is|are|should|do|does
    where is|are|do|does|can
    in case of
    looking for information
    i want to learn|know|understand
    i would like to know|learn|understand
    is it true
    """.strip().splitlines()
)
"""How a sentence begins that asks what is known."""

GREETINGS = _set("hi hello hey please so ok okay um and also doc doctor bot quick question just")

NEAR = _set(
    """
    i me my mine myself we us our he him she his her hers mum dad mother father wife husband son daughter baby brother
    sister grandma grandpa grandmother grandfather gran nan nana granny grandad granddad friend boyfriend girlfriend
    partner child kid kids toddler neighbour neighbor colleague uncle aunt auntie cousin roommate flatmate boy girl twin
    twins man woman lady guy someone here this mate grandson granddaughter nephew niece
    """
)
"""Words of the people whom a question may be about."""

SUPPOSED = _set(
    """
    i you we someone somebody anyone one 1 people they he she get gets got getting have has had having develop develops
    feel feels start starts started were was is are ever a an person patient child baby the suddenly begin begins
    experience there any it be
    """
)
"""What may stand between an "if" and what it supposes."""

IF = _set("if unless whenever case")
NOT_SUPPOSED = _set("as like feel feels even")
"""Before an "if" these make it suppose nothing: "as if"."""

SCENES = _set(
    """
    film movie movies heroine hero villain opera theatre musical book novel story series episode show game song lyrics
    video documentary podcast article essay poem character scene actor actress chapter lecture course exam class
    homework assignment training poster leaflet textbook study studies quiz dream dreamt dreamed dreams
    """
)
"""What is told after these is no illness of anybody's, unless one of the following stands there, too."""

NOT_TOLD = _set("since during after watching left now")
TOLD_AFTER = _set("metaphorically figuratively act scene episode chapter opera movie film haha lmao")

LESSONS = _set("course class training lesson exam quiz certificate")
"""What is told with first aid and one of these is learnt, and nobody's illness."""

YEARS = _set("year years month months decade decades ages")
WEEKS = _set("day days week weeks month months")
AGES = _set("child kid young boy girl teenager teen baby little small student toddler infant pregnant younger") | {
    str(age) for age in range(3, 60)
}
GROWN = {str(age) for age in range(13, 60)}
"""After "at" these are an age, while lower numbers are an hour."""

TIMES = _set(
    "twenties thirties forties fifties sixties seventies eighties nineties teens college school university war"
    " childhood youth student army wedding honeymoon"
)
BEFORE_ONCE = _set("i he she have has had was blood mum dad")
AFTER_ONCE = _set("in at as when during years on")
NOW = _set(
    "now today tonight again currently suddenly still since just tomorrow yesterday hours hour minutes minute morning"
    " afternoon evening keeps keep getting is am are"
)
SURELY_NOW = _set("now again tonight currently still today")
OWN = _set("i me my")

ANIMALS = _set(
    """
    dog puppy cat kitten pet horse pony cow goat sheep hamster rabbit bunny parrot budgie hen
    goldfish guinea pig ferret snake tortoise turtle lizard labrador spaniel poodle retriever terrier bulldog collie
    tabby donkey lamb gerbil kittens puppies
    """
)
VEHICLES = _set("car van truck bike motorbike engine motor drone boiler heater oven stove")
THINGS = VEHICLES | _set(
    """
    phone laptop computer server printer router plant plants cactus monstera fern orchid tree website app application
    software database network wifi internet tv fridge freezer dishwasher vacuum camera business economy club startup
    radiator sink guitar piano violin
    """
)
BITES = _set("bit bite bites bitten scratched scratch attacked kicked threw fell thrown mauled")
HITS = _set("crashed crash hit fell thrown accident over swallowed burned burnt fumes")
"""An animal that bites, or a car that crashes, is not who is ill."""

OWNERS = _set("my our the his her their your this a neighbours neighbors sisters mums")
PLACING = _set(
    "in on at by from with near under behind of to after into off inside outside over beside like as for and"
)
"""After these an animal or a thing is not who is ill: "in the car"."""
PEOPLE = NEAR - _set("it this here he she him his her hers")
