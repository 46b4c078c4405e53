"""Every number and word of the demo shop, with its unit.

Nothing here describes a real person or firm. Names are combined at random. Mailbox providers are real
domains, because the pipeline classifies them, but each local part ends in `mr<person number>`, so
that it is no real mailbox. Firms use `.example` (RFC 2606). The subscriber part of a phone number is a
counter that starts with 0, which real ones hardly ever do.

Without a source, a number is an assumption, chosen so that every case the pipeline must handle occurs. It is
not an estimate of any shop.
"""

from datetime import date

DAY = 86_400  # seconds
HOUR = 3_600  # seconds

# Size
CHUNK_PEOPLE = 10_000  # people made at a time; fixes the memory and, with the seed, the result
REFERENCE_DAYS = 540  # the intensities below are per customer over this many days

# Buying
# A Pareto/NBD shop: gamma-distributed order rates, gamma-distributed dropout rates, both independent
# (Schmittlein, Morrison, Colombo 1987, "Counting your customers", doi 10.1287/mnsc.33.1.1).
RATE_SHAPE = 0.75  # shape of the gamma of order rates; below 1: many light buyers, few heavy ones
DROPOUT_SHAPE = 1.1  # shape of the gamma of dropout rates
DROPOUT_MEAN = 1 / 260  # per day
NEVER_BUYS_SHARE = 0.17  # of people: sign up or browse only
OPENING_SHARE = 0.18  # of people: there in the first 30 days (the shop's launch)
FIRST_ORDER_LAG = 5.0  # days from joining to the first order, mean of an exponential
RHYTHM_SHARE = 0.10  # of buyers: buy one replenishable product again and again
RHYTHM_DAYS = (28, 35, 42, 60)  # days between replenishments, one per person
RHYTHM_JITTER = 0.12  # standard deviation of a gap, as a share of the rhythm

# Relative demand by month, January first. The November and December peak is the usual one of fashion retail.
SEASON = (0.86, 0.82, 0.92, 0.98, 1.0, 0.95, 0.9, 0.88, 1.0, 1.06, 1.34, 1.5)
WEEKDAY = (1.04, 1.0, 0.98, 0.97, 0.94, 0.95, 1.12)  # Monday first
HOURS = (7, 8, 9, 11, 12, 13, 15, 17, 18, 19, 20, 21, 22)  # local hours a person may like best
HOUR_SPREAD = 2.2  # standard deviation around the best hour, hours

SALES_CHANNELS = {"web": 0.72, "app": 0.14, "store": 0.10, "phone": 0.04}
ORDER_STATUSES = {
    "completed": 0.90,
    "shipped": 0.045,
    "paid": 0.02,
    "cancelled": 0.02,
    "pending": 0.01,
    "voided": 0.005,
}
EXTRA_LINES = 0.75  # lines beyond the first, mean of a geometric
SHIPPING = 490  # cents, below FREE_SHIPPING
FREE_SHIPPING = 6_000  # cents
COUPON_SHARE = 0.12  # of orders
LINE_DISCOUNT_SHARE = 0.08  # of lines
COUPONS = {"WELCOME10": 10, "SAVE15": 15, "THANKS5": 5}  # percent off the order
REFUND_PROPENSITY = (0.6, 6.5)  # beta distribution over people: share of orders they send something back from
REFUND_DAYS = (4, 30)  # days from order to refund
REFUND_REASONS = ("wrong size", "defective", "not as described", "changed mind", "arrived late", "")
TICKET_SHARE = 0.03  # of orders without a problem
TICKET_SHARE_PROBLEM = 0.30  # of orders with a refund
TICKET_SUBJECTS = {
    "delivery": ("Where is my parcel?", "Parcel arrived late"),
    "product": ("Question about a product", "Product is faulty"),
    "refund": ("Where is my refund?", "I want to return an item"),
    "account": ("Can't log in", "Please change my e-mail address"),
    "privacy": ("What do you know about me?", "Please delete my data"),
}

# Products
# category -> (mean price in cents, is replenishable, spellings: usual, singular, path, shouted, search terms)
CATEGORIES: dict[str, tuple[int, bool, tuple[str, ...], tuple[str, ...]]] = {
    "sneakers": (
        8_900,
        False,
        ("Sneakers", "sneaker", "sneakers/men", "SNEAKERS "),
        ("sneaker", "white sneakers"),
    ),
    "boots": (12_900, False, ("Boots", "boot", "boots/women", "BOOTS "), ("boots", "leather boots")),
    "sandals": (4_900, False, ("Sandals", "sandal", "sandals/women", "SANDALS "), ("sandals",)),
    "t-shirts": (2_200, False, ("T-Shirts", "t-shirt", "t-shirts/men", "TSHIRTS "), ("t-shirt", "basic tee")),
    "dresses": (5_900, False, ("Dresses", "dress", "dresses/women", "DRESSES "), ("summer dress", "dress")),
    "jeans": (7_500, False, ("Jeans", "jean", "jeans/men", "JEANS "), ("jeans", "slim jeans")),
    "jackets": (13_900, False, ("Jackets", "jacket", "jackets/women", "JACKETS "), ("rain jacket", "jacket")),
    "bags": (6_900, False, ("Bags", "bag", "bags/leather", "BAGS "), ("backpack", "bag")),
    "skincare": (
        1_900,
        True,
        ("Skincare", "skin care", "skincare/face", "SKINCARE "),
        ("face cream", "sunscreen"),
    ),
    "haircare": (1_400, True, ("Haircare", "hair care", "haircare/shampoo", "HAIRCARE "), ("shampoo",)),
    "coffee": (1_600, True, ("Coffee", "coffees", "coffee/beans", "COFFEE "), ("espresso", "coffee beans")),
    "socks": (900, False, ("Socks", "sock", "socks/unisex", "SOCKS "), ("socks",)),
}
SPELLING_SHARES = (0.62, 0.13, 0.15, 0.10)  # how often each of the four spellings is used
UNMAPPABLE_CATEGORIES = ("misc", "???")
UNMAPPABLE_SHARE = 0.015  # of products and of web events with a category
BRANDS = ("Nordlicht", "Halm", "Kieler", "Rosalie", "Ostwind", "Feld & Wald", "Brise", "Lumen", "")
PRICE_TIERS = (0.62, 1.0, 1.75)  # times the category's mean price; each person leans to one tier
PRICE_DROP_SHARE = 0.12  # of products, in the last PRICE_CHANGE_DAYS
PRICE_RISE_SHARE = 0.04
PRICE_CHANGE_DAYS = 90
OUT_OF_STOCK_SHARE = 0.07
RESTOCKED_SHARE = 0.08
NEW_PRODUCT_SHARE = 0.15  # listed during the window

# Web
ORDER_SESSION_EVENTS = 0.42  # of the web events belong to sessions that end in an order
ABANDONED_SHARE = 0.22  # of the other sessions leave something in the cart
TRACKED_MOST = 0.92  # of web and app orders at most have a tracked session: blockers, refused consent
NEAR_ORDER_SHARE = 0.35  # of browsing happens in the days before an order
NEAR_ORDER_DAYS = 4.0  # mean of an exponential
LOGGED_IN_SHARE = 0.5  # of sessions of people with an account
SECOND_DEVICE_SHARE = 0.35  # of people
THIRD_DEVICE_SHARE = 0.08
SHARED_DEVICE_SHARE = 0.30  # of non-head household members use the head's device for some sessions
SHARED_DEVICE_USE = 0.5  # of their sessions
GPC_SHARE = 0.04  # of devices send Global Privacy Control (https://w3c.github.io/gpc/)
SILENT_TRACKER_SHARE = 0.25  # of devices: an older tracker that reports no signal at all
DOUBLE_FIRED_SAME_ID = 0.02  # of purchase events come twice with the same event_id
DOUBLE_FIRED_NEW_ID = 0.03  # of purchase events are fired again seconds later under a new event_id
DUPLICATE_EVENTS = 0.001  # of all other web and message events come twice with the same event_id
UTM_SOURCES = {
    "": 0.46,
    "google": 0.28,
    "instagram": 0.10,
    "facebook": 0.07,
    "bing": 0.04,
    "price_comparison": 0.05,
}
UTM_CAMPAIGNS = {"google": "brand-search", "instagram": "spring-looks", "facebook": "retargeting"}

# Mail
PROFILE_SHARE = 0.82  # of people have a profile at the ESP
CAMPAIGN_DAYS = 7  # days between two campaigns
SEND_RAMP = (0.4, 1.6)  # relative share of the list that is written to, first and last day
PREFERRED_FREQUENCY = {"": 0.72, "weekly": 0.14, "monthly": 0.11, "daily": 0.03}
MONTHLY_FACTOR = 0.3  # of the campaigns, for people who want monthly mail
TRANSACTIONAL_SHARE = 0.2  # of message events are order confirmations, at most
EVENTS_PER_MESSAGE = 2.6  # expected; only used to hit the intended number of events
HARD_BOUNCE_SHARE = 0.012  # of profiles have a dead mailbox
SOFT_BOUNCE_SHARE = 0.008  # of messages
OPEN_PROPENSITY = (1.6, 3.0)  # beta distribution over people: share of messages a living customer opens
BEST_HOUR_LIFT = 0.6  # more opens when a message arrives at the person's best hour
DROPPED_OUT_OPENS = 0.12  # of their former opens, for people who dropped out
CLICK_SHARE = 0.13  # of human opens
CLICK_ORDER_SHARE = 0.10  # of human clicks in living people's promotional mail lead to an order
UNSUBSCRIBE_SHARE = 0.012  # of human opens
COMPLAINT_SHARE = 0.003  # of human opens
# Apple Mail Privacy Protection loads remote content in the background, opened or not
# (https://support.apple.com/guide/mail/use-mail-privacy-protection-mlhl03be2866/mac).
MPP_SHARE = 0.38  # of profiles read in Apple Mail with protection on; icloud.com addresses: MPP_ICLOUD_SHARE
MPP_ICLOUD_SHARE = 0.9
MPP_LOAD_SHARE = 0.75  # of their messages are loaded by Apple's proxy
MPP_FLAGGED_SHARE = 0.7  # of those opens carry the ESP's own flag; the others only the bare user agent
PREFETCH_SHARE = 0.05  # of other profiles: the provider loads images 1 to 3 seconds after delivery
BOT_SHARE = 0.006  # of messages are opened by a crawler
SCANNER_SHARE = 0.7  # of messages to corporate domains: a gateway opens and follows every link at once
MPP_AGENT = "Mozilla/5.0"  # what Apple's proxy sends, and nothing more
GMAIL_AGENT = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
PREFETCH_AGENT = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
BOT_AGENT = "Mozilla/5.0 (compatible; LinkCheck/1.2; bot)"
SCANNER_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/124.0 Safari/537.36"
HUMAN_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/127.0",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0 Mobile",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15",
)
SITE = "https://shop.example"

# People
HOUSEHOLD_SIZES = {1: 0.85, 2: 0.11, 3: 0.03, 4: 0.01}  # customers per household, by household
LANDLINE_SHARE = 0.4  # of households; of those with several customers LANDLINE_FAMILY_SHARE
LANDLINE_FAMILY_SHARE = 0.7
SHARED_MAILBOX_SHARE = 0.012  # of further household members use the first one's mailbox: 0.2% of people
STALE_ADDRESS_SHARE = 0.04  # of postal addresses are from before a move
EMPTY_ADDRESS_SHARE = 0.12
SAME_NAME_SHARE = 0.88  # of household members carry the head's family name
# Households with alike names. The names know no sex: what is published of sons holds for any further member.
# Juniors: of boys born in Illinois about 3%, Colorado 2%, Missouri 5% (vital statistics, Sun-Sentinel, 3
# May 1994). Twins: 31.2 of 1,000 births in the US in 2022 (National Center for Health Statistics); how many
# of them share a household and a shop no source was found for. Their names: Plank 1964, "Names of Twins",
# Names 12.
JUNIOR_SHARE = 0.03  # of further household members bear the first one's whole name
JUNIOR_YEARS = (20, 40)  # years between the two
GENERATION_SHARE = 0.25  # of the records of such two say which of them it is
GENERATIONS = {"de": ("sen.", "jun."), "nl": ("sen.", "jun."), "en": ("Sr.", "Jr."), "fr": ("sen.", "jun.")}
TWIN_SHARE = 0.031  # of further members are the first one's twin
ALIKE_TWIN_SHARE = 0.79  # of twins have names that start alike (62%) or sound alike (17%)
GUEST_ONLY_SHARE = 0.14  # of people never open an account
GUEST_ORDER_SHARE = 0.08  # of orders of people with an account are placed as a guest
ACCOUNTS = {1: 0.90, 2: 0.08, 3: 0.02}  # accounts of people who have any
CONTACT_SHARE = 0.55  # of people are in the CRM
SECOND_CONTACT_SHARE = 0.05
SECOND_PROFILE_SHARE = 0.04
SECOND_ADDRESS_SHARE = 0.18  # of people have two e-mail addresses
SECOND_ADDRESS_USE = 0.45  # of their further records carry the second one
EMPTY_EMAIL_SHARE = {"contact": 0.06, "customer": 0.0, "profile": 0.01}
EMPTY_PHONE_SHARE = {"contact": 0.35, "customer": 0.45, "profile": 0.75, "order": 0.5, "ticket": 0.6}
LANDLINE_USE = 0.25  # of phone fields where the household has a landline
EXTERNAL_ID_SHARE = 0.55  # of profiles of people with an account
CORPORATE_SHARE = 0.035  # of people work at one of the small firms and use its address somewhere
FIRM_SIZE = 3  # people per firm
ROLE_SHARE = 0.6  # of firm contacts stand in the CRM under the firm's info@, office@ or sales@
ROLES = ("info", "office", "sales")
JUNK_EMAILS = ("test@test.com", "noemail@noemail.com")
JUNK_EMAIL_SHARE = 0.006  # of CRM contacts
JUNK_PHONES = ("000000000", "0123456789")
JUNK_PHONE_SHARE = 0.008  # of CRM contacts and shop accounts
OPPORTUNITY_SHARE = 0.8  # of firm contacts
# How an address is typed: as it is, Capitals, spaces around it, +tag, dots gone and googlemail, UPPER CASE.
EMAIL_FORMS = (0.74, 0.08, 0.04, 0.06, 0.05, 0.03)
PLUS_TAGS = ("shop", "news", "mail")
PLUS_DOMAINS = ("gmail.com", "outlook.com", "icloud.com", "googlemail.com")
# How a name is typed: in full, initial, nickname, lower case, without accents, empty.
NAME_FORMS = (0.82, 0.04, 0.05, 0.04, 0.03, 0.02)


# Typing errors, in a share of the records that have the field, each field on its own. Sources:
# - Winkler 2005, "Approximate String Comparator Search Strategies for Very Large Administrative Lists" (US
#   Census Bureau, Statistics 2005-02): "5% typographical error in each field".
# - Febrl's generator (Christen 2005, dsgen/generate.py): how often it spoils which field, and how.
# - Damerau 1964 (doi 10.1145/363958.363994): of 964 misspelt words 153 lack a letter, 567 have a wrong one,
#   99 one too many, 23 two swapped, 122 several errors. Peterson 1986 (doi 10.1145/6138.6146), as Febrl
#   quotes it: 34.4%, 26.9%, 20.3% and 13.1%. Pollock and Zamora, who looked at words that were keyed,
#   find a missing letter to be the commonest too, and doubling the main cause of a letter too many (1983, doi
#   10.1002/asi.4630340108).
NAME_SLIP_SHARE = 0.05  # of given and of family names (Winkler)
STREET_SLIP_SHARE = 0.05  # of streets (Winkler)
BIRTH_DATE_SLIP_SHARE = 0.05  # of birth dates (Winkler)
PHONE_SLIP_SHARE = 0.025  # of phone numbers: half as often as in names (Febrl: 0.05 beside 0.10 and 0.15)
EMAIL_SLIP_SHARE = 0.02  # of addresses: 1 to 3% of lists (ZeroBounce, of four billion addresses)
SWAPPED_NAMES_SHARE = 0.01  # of records have given and family name swapped: 5% of those that Febrl spoils
SLIP_KINDS = {"deleted": 0.344, "wrong": 0.269, "inserted": 0.203, "transposed": 0.131}  # relative (Peterson)
SECOND_SLIP_SHARE = 0.13  # of misspelt words have more than one error (Damerau)
FIRST_LETTER_SLIP_SHARE = 0.078  # of errors (Pollock and Zamora 1984, doi 10.1145/358027.358048)
DOUBLED_SHARE = 0.6  # of letters too many double the one before; the papers say most, and no share
DIGITS_TRANSPOSED_SHARE = 0.43  # of wrong numbers; the others have a wrong digit (Febrl: 0.30 beside 0.40)
BIRTH_DATE_SLIPS = (0.5, 0.3, 0.2)  # a digit wrong, two digits swapped (Febrl), day and month swapped
BIRTH_DATE_SHARE = {"contact": 0.35, "customer": 0.4, "profile": 0.25}  # of records state one
JUNK_BIRTH_DATE_SHARE = 0.01  # of those are what a form fills in
JUNK_BIRTH_DATES = (date(1900, 1, 1), date(1970, 1, 1))
AGES = (18, 80)  # years at the end of the window, uniform

# Recycled numbers. Each year over 35 million US numbers are disconnected and become free (FCC, Reassigned
# Numbers Database Order, 33 FCC Rcd 12024, 2018), of about 480 million in use (40% of 1.2 billion: FCC,
# Numbering Resource Utilization, 2001): 7%, and over a year and a half 11%. How many of these go to a
# customer of the same shop hangs on its reach, which is assumed to be 5% of those who have a phone.
RECYCLED_SHARE = 0.005  # of people have a mobile number that was another customer's before
AGING_DAYS = 45  # days at least between the two (47 CFR 52.15(f)(1)(ii), since 27 July 2020)

# country -> (share, language, time zone, dial code, mobile prefixes, digits after the prefix, area codes,
#             spellings, cities with postal codes)
Texts = tuple[str, ...]
COUNTRIES: dict[
    str, tuple[float, str, str, str, Texts, int, Texts, Texts, tuple[tuple[str, str], ...]]
] = {
    "DE": (
        0.62, "de", "Europe/Berlin", "49", ("151", "157", "160", "170", "172", "175", "176"), 7,
        ("30", "40", "89", "221", "69"), ("DE", "Germany", "Deutschland", "de"),
        (("Berlin", "10115"), ("Hamburg", "20095"), ("München", "80331"), ("Köln", "50667"),
         ("Leipzig", "04109")),
    ),
    "AT": (
        0.10, "de", "Europe/Vienna", "43", ("664", "650", "660", "676"), 7, ("1", "316"),
        ("AT", "Austria", "Österreich", "at"), (("Wien", "1010"), ("Graz", "8010"), ("Linz", "4020")),
    ),
    "CH": (
        0.08, "de", "Europe/Zurich", "41", ("76", "77", "78", "79"), 7, ("44", "31"),
        ("CH", "Switzerland", "Schweiz", "ch"), (("Zürich", "8001"), ("Bern", "3011"), ("Genève", "1201")),
    ),
    "FR": (
        0.06, "fr", "Europe/Paris", "33", ("61", "62", "63", "75"), 7, ("14", "47"),
        ("FR", "France", "France", "fr"), (("Paris", "75001"), ("Lyon", "69001"), ("Orléans", "45000")),
    ),
    "GB": (
        0.06, "en-GB", "Europe/London", "44", ("770", "771", "772", "773"), 7, ("20", "161"),
        ("GB", "United Kingdom", "UK", "gb"), (("London", "SW1A 1AA"), ("Leeds", "LS1 1UR")),
    ),
    "NL": (
        0.04, "nl", "Europe/Amsterdam", "31", ("61", "62", "64", "65"), 7, ("20", "10"),
        ("NL", "Netherlands", "Nederland", "nl"), (("Amsterdam", "1012"), ("Utrecht", "3511")),
    ),
    "US": (
        0.04, "en-US", "America/New_York", "1", ("212", "617", "215", "305"), 7, ("202", "404"),
        ("US", "United States", "USA", "us"), (("New York", "10001"), ("Boston", "02108")),
    ),
}  # fmt: skip
COUNTRY_FORMS = (0.6, 0.14, 0.16, 0.05, 0.05)  # code, English, local name, lower case, empty
PROVIDERS: dict[str, dict[str, float]] = {
    "de": {"gmail.com": 0.3, "web.de": 0.16, "gmx.de": 0.18, "t-online.de": 0.08, "icloud.com": 0.1,
           "outlook.com": 0.08, "yahoo.de": 0.05, "googlemail.com": 0.02, "posteo.de": 0.03},
    "fr": {"gmail.com": 0.45, "orange.fr": 0.2, "icloud.com": 0.12, "outlook.com": 0.13, "yahoo.com": 0.1},
    "en": {"gmail.com": 0.5, "icloud.com": 0.18, "outlook.com": 0.12, "yahoo.com": 0.15, "hotmail.com": 0.05},
    "nl": {"gmail.com": 0.55, "outlook.com": 0.15, "icloud.com": 0.15, "ziggo.nl": 0.15},
}  # fmt: skip
FIRST_NAMES: dict[str, tuple[str, ...]] = {
    "de": ("Anna", "Jürgen", "Sabine", "Lukas", "Zoë", "Thomas", "Katharina", "Jörg", "Emilia",
           "Maximilian", "Elisabeth", "Björn", "Leonie", "Sebastian", "Mehmet", "Ayşe",
           "Johanna", "Paul", "Käthe", "Felix"),
    "fr": ("René", "Chloé", "Amélie", "François", "Léa", "Hélène", "Hugo", "Inès", "Théo", "Margaux"),
    "en": ("William", "Olivia", "James", "Emma", "Robert", "Elizabeth", "Noah", "Siobhán",
           "Grace", "Michael"),
    "nl": ("Daan", "Sanne", "Johannes", "Fleur", "Bram", "Noëlle", "Lotte", "Willem", "Femke", "Thijs"),
}  # fmt: skip
LAST_NAMES: dict[str, tuple[str, ...]] = {
    "de": ("Berg", "Müller", "Schröder", "Köhler", "Weiß", "Vogel", "Lehmann", "Özdemir",
           "Brandt", "Hofmann", "Günther", "Kaiser", "von Stein", "Schäfer", "Novák", "Meier-Lang",
           "Winter", "Busch", "Jäger", "Sommer", "Krüger"),
    "fr": ("Lefèvre", "Moreau", "Girard", "Benoît", "Mercier", "Dupré", "Fontaine", "Chevalier"),
    "en": ("O'Neill", "Taylor", "Harper", "Bennett", "Walsh", "Carter", "Reed", "Hughes"),
    "nl": ("de Vries", "Bakker", "van Dijk", "Visser", "Smit", "Mulder", "Brouwer"),
}  # fmt: skip
NICKNAMES = {
    "Katharina": "Kathi", "Maximilian": "Max", "Elisabeth": "Lisa", "Sebastian": "Basti", "Johanna": "Hanna",
    "Thomas": "Tom", "William": "Bill", "Robert": "Bob", "Elizabeth": "Liz", "James": "Jim",
    "Michael": "Mike",
    "Johannes": "Jan", "Willem": "Wim", "François": "Fanfan", "Sabine": "Bine",
}  # fmt: skip
ALIKE_NAMES = {  # what a twin is called: much like the other, and not its short form
    "Anna": "Anne", "Jürgen": "Jörgen", "Sabine": "Sabrina", "Lukas": "Linus", "Zoë": "Chloë",
    "Thomas": "Tobias", "Katharina": "Katinka", "Jörg": "Jörn", "Emilia": "Emilie", "Maximilian": "Magnus",
    "Elisabeth": "Liselotte", "Björn": "Bjarne", "Leonie": "Leona", "Sebastian": "Sebald", "Mehmet": "Ahmet",
    "Ayşe": "Ayla", "Johanna": "Johanne", "Paul": "Paula", "Käthe": "Grete", "Felix": "Felicia",
    "René": "Renée", "Chloé": "Cléo", "Amélie": "Aurélie", "François": "Françoise", "Léa": "Léna",
    "Hélène": "Héloïse", "Hugo": "Hugues", "Inès": "Agnès", "Théo": "Léo", "Margaux": "Margot",
    "William": "Wilson", "Olivia": "Olive", "James": "Jamie", "Emma": "Emily", "Robert": "Rupert",
    "Elizabeth": "Elsie", "Noah": "Jonah", "Siobhán": "Sinéad", "Grace": "Gracie", "Michael": "Mitchell",
    "Daan": "Daniël", "Sanne": "Susanne", "Johannes": "Johan", "Fleur": "Floor", "Bram": "Bas",
    "Noëlle": "Noor", "Lotte": "Lieke", "Willem": "Wouter", "Femke": "Fenna", "Thijs": "Ties",
}  # fmt: skip
STREETS: dict[str, tuple[str, ...]] = {
    "de": ("Lindenstraße", "Hauptstr.", "Am Mühlbach", "Gartenweg", "Bahnhofstraße", "Schillerstr."),
    "fr": ("rue de la Paix", "avenue Victor Hugo", "rue des Écoles"),
    "en": ("High Street", "Station Road", "Mill Lane"),
    "nl": ("Kerkstraat", "Dorpsstraat", "Molenweg"),
}
ACQUISITION = {
    "paid_search": 0.26,
    "organic": 0.26,
    "social": 0.17,
    "referral": 0.09,
    "email": 0.06,
    "direct": 0.1,
    "store": 0.06,
}

# Consent
OPT_IN_SHARE = 0.72  # of people want marketing e-mail when asked
CONFLICT_SHARE = 0.07  # of system answers contradict what the person wants
PENDING_SHARE = 0.06  # of granted e-mail consents wait for the double opt-in
CONSENT_TOLD_SHARE = 0.75  # of account checkboxes are also in the consent tool
UNSUBSCRIBE_TOLD_SHARE = 0.9  # of unsubscribes reach the consent tool
PURPOSES = {  # purpose -> (share of people asked, share of those who agree)
    "behavioural_advertising": (0.30, 0.45),
    "ai_recommendations": (0.28, 0.62),
    "automated_pricing": (0.12, 0.30),
    "profiling": (0.25, 0.55),
}
WITHDRAWN_SHARE = 0.08  # of those answers are taken back later
REQUEST_SHARE = 0.008  # of people send the privacy desk a request
REQUEST_TYPES = {"erasure": 0.4, "objection": 0.3, "access": 0.2, "rectification": 0.06, "portability": 0.04}

# Dirt
# Bad rows per mille of a table's rows and kind; the first chunk always has one, so the seeds show each kind.
DIRT_PER_MILLE = 0.2

BOUNCE_ANSWERS = (
    "550 5.1.1 No such user here", "550 5.2.1 This account is disabled", "452 4.2.2 The mailbox is full",
    "451 4.4.1 No answer from the host",
)  # fmt: skip
