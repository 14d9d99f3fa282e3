"""Countries and areas as ISO 3166-1 has them, with the code of the UN's M49 standard and the short name in
English that the UN uses.

Our own table, because what a country is called is a decision of the organisation, not of a library. It says
which are Member States of the United Nations (193) and which are observer States (2); the rest are areas.
Being in this table says nothing about the status of a territory.
"""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    MEMBER = "member"
    OBSERVER = "observer"
    AREA = "area"


@dataclass(frozen=True, kw_only=True)
class Country:
    alpha2: str
    alpha3: str
    m49: str
    name: str
    standing: Standing


def by_code(code: str) -> Country | None:
    """The country of an alpha-3 or alpha-2 code, in capitals."""
    return COUNTRIES.get(code) or _BY_ALPHA2.get(code)


# alpha-2, alpha-3, M49, standing (M Member State, O observer State, - area), short name.
_TABLE = """
AD AND 020 M Andorra
AE ARE 784 M United Arab Emirates
AF AFG 004 M Afghanistan
AG ATG 028 M Antigua and Barbuda
AI AIA 660 - Anguilla
AL ALB 008 M Albania
AM ARM 051 M Armenia
AO AGO 024 M Angola
AQ ATA 010 - Antarctica
AR ARG 032 M Argentina
AS ASM 016 - American Samoa
AT AUT 040 M Austria
AU AUS 036 M Australia
AW ABW 533 - Aruba
AX ALA 248 - Åland Islands
AZ AZE 031 M Azerbaijan
BA BIH 070 M Bosnia and Herzegovina
BB BRB 052 M Barbados
BD BGD 050 M Bangladesh
BE BEL 056 M Belgium
BF BFA 854 M Burkina Faso
BG BGR 100 M Bulgaria
BH BHR 048 M Bahrain
BI BDI 108 M Burundi
BJ BEN 204 M Benin
BL BLM 652 - Saint Barthélemy
BM BMU 060 - Bermuda
BN BRN 096 M Brunei Darussalam
BO BOL 068 M Bolivia (Plurinational State of)
BQ BES 535 - Bonaire, Sint Eustatius and Saba
BR BRA 076 M Brazil
BS BHS 044 M Bahamas
BT BTN 064 M Bhutan
BV BVT 074 - Bouvet Island
BW BWA 072 M Botswana
BY BLR 112 M Belarus
BZ BLZ 084 M Belize
CA CAN 124 M Canada
CC CCK 166 - Cocos (Keeling) Islands
CD COD 180 M Democratic Republic of the Congo
CF CAF 140 M Central African Republic
CG COG 178 M Congo
CH CHE 756 M Switzerland
CI CIV 384 M Côte d'Ivoire
CK COK 184 - Cook Islands
CL CHL 152 M Chile
CM CMR 120 M Cameroon
CN CHN 156 M China
CO COL 170 M Colombia
CR CRI 188 M Costa Rica
CU CUB 192 M Cuba
CV CPV 132 M Cabo Verde
CW CUW 531 - Curaçao
CX CXR 162 - Christmas Island
CY CYP 196 M Cyprus
CZ CZE 203 M Czechia
DE DEU 276 M Germany
DJ DJI 262 M Djibouti
DK DNK 208 M Denmark
DM DMA 212 M Dominica
DO DOM 214 M Dominican Republic
DZ DZA 012 M Algeria
EC ECU 218 M Ecuador
EE EST 233 M Estonia
EG EGY 818 M Egypt
EH ESH 732 - Western Sahara
ER ERI 232 M Eritrea
ES ESP 724 M Spain
ET ETH 231 M Ethiopia
FI FIN 246 M Finland
FJ FJI 242 M Fiji
FK FLK 238 - Falkland Islands (Malvinas)
FM FSM 583 M Micronesia (Federated States of)
FO FRO 234 - Faroe Islands
FR FRA 250 M France
GA GAB 266 M Gabon
GB GBR 826 M United Kingdom of Great Britain and Northern Ireland
GD GRD 308 M Grenada
GE GEO 268 M Georgia
GF GUF 254 - French Guiana
GG GGY 831 - Guernsey
GH GHA 288 M Ghana
GI GIB 292 - Gibraltar
GL GRL 304 - Greenland
GM GMB 270 M Gambia
GN GIN 324 M Guinea
GP GLP 312 - Guadeloupe
GQ GNQ 226 M Equatorial Guinea
GR GRC 300 M Greece
GS SGS 239 - South Georgia and the South Sandwich Islands
GT GTM 320 M Guatemala
GU GUM 316 - Guam
GW GNB 624 M Guinea-Bissau
GY GUY 328 M Guyana
HK HKG 344 - China, Hong Kong Special Administrative Region
HM HMD 334 - Heard Island and McDonald Islands
HN HND 340 M Honduras
HR HRV 191 M Croatia
HT HTI 332 M Haiti
HU HUN 348 M Hungary
ID IDN 360 M Indonesia
IE IRL 372 M Ireland
IL ISR 376 M Israel
IM IMN 833 - Isle of Man
IN IND 356 M India
IO IOT 086 - British Indian Ocean Territory
IQ IRQ 368 M Iraq
IR IRN 364 M Iran (Islamic Republic of)
IS ISL 352 M Iceland
IT ITA 380 M Italy
JE JEY 832 - Jersey
JM JAM 388 M Jamaica
JO JOR 400 M Jordan
JP JPN 392 M Japan
KE KEN 404 M Kenya
KG KGZ 417 M Kyrgyzstan
KH KHM 116 M Cambodia
KI KIR 296 M Kiribati
KM COM 174 M Comoros
KN KNA 659 M Saint Kitts and Nevis
KP PRK 408 M Democratic People's Republic of Korea
KR KOR 410 M Republic of Korea
KW KWT 414 M Kuwait
KY CYM 136 - Cayman Islands
KZ KAZ 398 M Kazakhstan
LA LAO 418 M Lao People's Democratic Republic
LB LBN 422 M Lebanon
LC LCA 662 M Saint Lucia
LI LIE 438 M Liechtenstein
LK LKA 144 M Sri Lanka
LR LBR 430 M Liberia
LS LSO 426 M Lesotho
LT LTU 440 M Lithuania
LU LUX 442 M Luxembourg
LV LVA 428 M Latvia
LY LBY 434 M Libya
MA MAR 504 M Morocco
MC MCO 492 M Monaco
MD MDA 498 M Republic of Moldova
ME MNE 499 M Montenegro
MF MAF 663 - Saint Martin (French Part)
MG MDG 450 M Madagascar
MH MHL 584 M Marshall Islands
MK MKD 807 M North Macedonia
ML MLI 466 M Mali
MM MMR 104 M Myanmar
MN MNG 496 M Mongolia
MO MAC 446 - China, Macao Special Administrative Region
MP MNP 580 - Northern Mariana Islands
MQ MTQ 474 - Martinique
MR MRT 478 M Mauritania
MS MSR 500 - Montserrat
MT MLT 470 M Malta
MU MUS 480 M Mauritius
MV MDV 462 M Maldives
MW MWI 454 M Malawi
MX MEX 484 M Mexico
MY MYS 458 M Malaysia
MZ MOZ 508 M Mozambique
NA NAM 516 M Namibia
NC NCL 540 - New Caledonia
NE NER 562 M Niger
NF NFK 574 - Norfolk Island
NG NGA 566 M Nigeria
NI NIC 558 M Nicaragua
NL NLD 528 M Netherlands (Kingdom of the)
NO NOR 578 M Norway
NP NPL 524 M Nepal
NR NRU 520 M Nauru
NU NIU 570 - Niue
NZ NZL 554 M New Zealand
OM OMN 512 M Oman
PA PAN 591 M Panama
PE PER 604 M Peru
PF PYF 258 - French Polynesia
PG PNG 598 M Papua New Guinea
PH PHL 608 M Philippines
PK PAK 586 M Pakistan
PL POL 616 M Poland
PM SPM 666 - Saint Pierre and Miquelon
PN PCN 612 - Pitcairn
PR PRI 630 - Puerto Rico
PS PSE 275 O State of Palestine
PT PRT 620 M Portugal
PW PLW 585 M Palau
PY PRY 600 M Paraguay
QA QAT 634 M Qatar
RE REU 638 - Réunion
RO ROU 642 M Romania
RS SRB 688 M Serbia
RU RUS 643 M Russian Federation
RW RWA 646 M Rwanda
SA SAU 682 M Saudi Arabia
SB SLB 090 M Solomon Islands
SC SYC 690 M Seychelles
SD SDN 729 M Sudan
SE SWE 752 M Sweden
SG SGP 702 M Singapore
SH SHN 654 - Saint Helena
SI SVN 705 M Slovenia
SJ SJM 744 - Svalbard and Jan Mayen Islands
SK SVK 703 M Slovakia
SL SLE 694 M Sierra Leone
SM SMR 674 M San Marino
SN SEN 686 M Senegal
SO SOM 706 M Somalia
SR SUR 740 M Suriname
SS SSD 728 M South Sudan
ST STP 678 M Sao Tome and Principe
SV SLV 222 M El Salvador
SX SXM 534 - Sint Maarten (Dutch part)
SY SYR 760 M Syrian Arab Republic
SZ SWZ 748 M Eswatini
TC TCA 796 - Turks and Caicos Islands
TD TCD 148 M Chad
TF ATF 260 - French Southern Territories
TG TGO 768 M Togo
TH THA 764 M Thailand
TJ TJK 762 M Tajikistan
TK TKL 772 - Tokelau
TL TLS 626 M Timor-Leste
TM TKM 795 M Turkmenistan
TN TUN 788 M Tunisia
TO TON 776 M Tonga
TR TUR 792 M Türkiye
TT TTO 780 M Trinidad and Tobago
TV TUV 798 M Tuvalu
TW TWN 158 - Taiwan, Province of China
TZ TZA 834 M United Republic of Tanzania
UA UKR 804 M Ukraine
UG UGA 800 M Uganda
UM UMI 581 - United States Minor Outlying Islands
US USA 840 M United States of America
UY URY 858 M Uruguay
UZ UZB 860 M Uzbekistan
VA VAT 336 O Holy See
VC VCT 670 M Saint Vincent and the Grenadines
VE VEN 862 M Venezuela (Bolivarian Republic of)
VG VGB 092 - British Virgin Islands
VI VIR 850 - United States Virgin Islands
VN VNM 704 M Viet Nam
VU VUT 548 M Vanuatu
WF WLF 876 - Wallis and Futuna Islands
WS WSM 882 M Samoa
YE YEM 887 M Yemen
YT MYT 175 - Mayotte
ZA ZAF 710 M South Africa
ZM ZMB 894 M Zambia
ZW ZWE 716 M Zimbabwe
"""

_STANDINGS = {"M": Standing.MEMBER, "O": Standing.OBSERVER, "-": Standing.AREA}


def _row(line: str) -> Country:
    alpha2, alpha3, m49, standing, name = line.split(maxsplit=4)
    return Country(alpha2=alpha2, alpha3=alpha3, m49=m49, name=name, standing=_STANDINGS[standing])


COUNTRIES: dict[str, Country] = {
    country.alpha3: country for country in map(_row, _TABLE.strip().splitlines())
}
_BY_ALPHA2 = {country.alpha2: country for country in COUNTRIES.values()}
