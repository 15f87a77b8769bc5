"""Names of Universal Analytics (`ga:sessions`), which GA4 replaced, and what is certain of GA4's own."""

from __future__ import annotations

import re

PREFIX = "ga:"
FORM = re.compile(r"[A-Za-z][A-Za-z0-9_]*(:[^\s:;,=!<>~@]+)?(:[^\s:;,=!<>~@]+)?")

DIMENSIONS = {
    "adContent": "sessionManualAdContent",
    "browser": "browser",
    "campaign": "sessionCampaignName",
    "channelGrouping": "sessionDefaultChannelGroup",
    "city": "city",
    "cityId": "cityId",
    "continent": "continent",
    "country": "country",
    "countryIsoCode": "countryId",
    "date": "date",
    "dateHour": "dateHour",
    "dateHourMinute": "dateHourMinute",
    "day": "day",
    "dayOfWeek": "dayOfWeek",
    "dayOfWeekName": "dayOfWeekName",
    "deviceCategory": "deviceCategory",
    "fullReferrer": "pageReferrer",
    "hostname": "hostName",
    "hour": "hour",
    "isoWeek": "isoWeek",
    "isoYear": "isoYear",
    "isoYearIsoWeek": "isoYearIsoWeek",
    "itemCategory": "itemCategory",
    "keyword": "sessionGoogleAdsKeyword",
    "landingPagePath": "landingPage",
    "language": "languageCode",
    "medium": "sessionMedium",
    "minute": "minute",
    "mobileDeviceBranding": "mobileDeviceBranding",
    "mobileDeviceModel": "mobileDeviceModel",
    "month": "month",
    "nthDay": "nthDay",
    "nthMonth": "nthMonth",
    "nthWeek": "nthWeek",
    "operatingSystem": "operatingSystem",
    "operatingSystemVersion": "operatingSystemVersion",
    "pagePath": "pagePath",
    "pageTitle": "pageTitle",
    "platform": "platform",
    "productName": "itemName",
    "productSku": "itemId",
    "region": "region",
    "screenResolution": "screenResolution",
    "searchKeyword": "searchTerm",
    "source": "sessionSource",
    "sourceMedium": "sessionSourceMedium",
    "subContinent": "subContinent",
    "transactionId": "transactionId",
    "userType": "newVsReturning",
    "week": "week",
    "year": "year",
    "yearMonth": "yearMonth",
    "yearWeek": "yearWeek",
}
METRICS = {
    "1dayUsers": "active1DayUsers",
    "7dayUsers": "active7DayUsers",
    "28dayUsers": "active28DayUsers",
    "avgSessionDuration": "averageSessionDuration",
    "bounceRate": "bounceRate",
    "goalCompletionsAll": "keyEvents",
    "goalConversionRateAll": "sessionKeyEventRate",
    "hits": "eventCount",
    "itemQuantity": "itemsPurchased",
    "itemRevenue": "itemRevenue",
    "newUsers": "newUsers",
    "pageviews": "screenPageViews",
    "pageviewsPerSession": "screenPageViewsPerSession",
    "screenviews": "screenPageViews",
    "sessions": "sessions",
    "sessionsPerUser": "sessionsPerUser",
    "totalEvents": "eventCount",
    "totalValue": "eventValue",
    "transactionRevenue": "purchaseRevenue",
    "transactions": "transactions",
    "users": "totalUsers",
}
MEANINGS = {
    "bounceRate": "GA4's is a share from 0 to 1, and counts sessions that were not engaged",
    "goalCompletionsAll": "goals became key events, which are counted each time",
    "goalConversionRateAll": "GA4's is a share from 0 to 1 of the sessions with a key event",
    "userType": "GA4 says new and returning",
}
"""What is not the same under the new name."""
GONE = {
    "avgTimeOnPage": "divide userEngagementDuration by screenPageViews",
    "entrances": "ask for sessions by landingPage",
    "eventAction": "events have names: use eventName, or a custom dimension (customEvent:action)",
    "eventCategory": "events have names: use eventName, or a custom dimension (customEvent:category)",
    "eventLabel": "events have names: use eventName, or a custom dimension (customEvent:label)",
    "exitRate": "remove it",
    "exits": "remove it",
    "segment": "GA4's API has no segments: write a filter",
    "30dayUsers": "use active28DayUsers",
    "14dayUsers": "use active7DayUsers or active28DayUsers",
    "uniqueEvents": "use eventCount",
    "uniquePageviews": "use screenPageViews, or sessions by pagePath",
}
"""What has no name any more, and what to ask instead."""

_METRIC_WORDS = (
    "activeUsers addToCarts averagePurchaseRevenue averagePurchaseRevenuePerUser averageSessionDuration "
    "bounceRate checkouts conversions crashAffectedUsers ecommercePurchases engagedSessions engagementRate "
    "eventCount eventCountPerUser eventValue eventsPerSession firstTimePurchasers itemRevenue itemsAddedToCart "
    "itemsCheckedOut itemsPurchased itemsViewed keyEvents newUsers publisherAdClicks publisherAdImpressions "
    "purchaseRevenue refundAmount screenPageViews screenPageViewsPerSession screenPageViewsPerUser "
    "sessionKeyEventRate sessions sessionsPerUser shippingAmount taxAmount totalAdRevenue totalPurchasers "
    "totalRevenue totalUsers transactions transactionsPerPurchaser userEngagementDuration userKeyEventRate"
)
DAILY_METRICS = frozenset(_METRIC_WORDS.split())
"""Metrics whose value of a day is made of that day alone, as users of a day are. Not those that look back, such as
active7DayUsers and dauPerMau."""
_DIMENSION_WORDS = (
    "browser campaignId campaignName city cityId continent continentId country countryId date dateHour "
    "dateHourMinute day dayOfWeek dayOfWeekName defaultChannelGroup deviceCategory deviceModel eventName "
    "fileExtension fileName fullPageUrl hostName hour isKeyEvent isoWeek isoYear isoYearIsoWeek itemBrand "
    "itemCategory itemId itemName landingPage landingPagePlusQueryString language languageCode linkDomain linkUrl "
    "medium minute mobileDeviceBranding mobileDeviceModel month newVsReturning operatingSystem "
    "operatingSystemVersion operatingSystemWithVersion orderCoupon outbound pageLocation pagePath "
    "pagePathPlusQueryString pageReferrer pageTitle percentScrolled platform platformDeviceCategory region "
    "screenResolution searchTerm sessionCampaignId sessionCampaignName sessionDefaultChannelGroup "
    "sessionGoogleAdsKeyword sessionManualAdContent sessionManualTerm sessionMedium sessionSource "
    "sessionSourceMedium sessionSourcePlatform source sourceMedium streamId streamName subContinent "
    "transactionId unifiedScreenName week year yearMonth yearWeek"
)
DAILY_DIMENSIONS = frozenset(_DIMENSION_WORDS.split())
"""Dimensions that an event has whatever days are asked for. Not nthDay, which counts from the first of them."""
_DAILY_PREFIXES = ("customEvent:", "averageCustomEvent:", "countCustomEvent:", "keyEvents:")


def is_daily(name: str) -> bool:
    """Is a row of one day the same, whether that day or a month was asked for?"""
    return name in DAILY_METRICS or name in DAILY_DIMENSIONS or name.startswith(_DAILY_PREFIXES)


def is_metric(name: str) -> bool:
    """Is it surely a metric? Names of Google's that are newer than this list are taken for dimensions."""
    return (
        name in DAILY_METRICS
        or name in METRICS.values()
        or name.startswith(("averageCustomEvent:", "countCustomEvent:", "keyEvents:", "sessionKeyEventRate:"))
    )


def modern(name: str) -> str:
    """GA4's name of a field. Raises ValueError for what it does not have, saying what to ask instead."""
    if not name.startswith(PREFIX):
        if not FORM.fullmatch(name):
            raise ValueError(f"'{name}' is no name of a field: write one such as date, or customEvent:author")
        return name
    old = name.removeprefix(PREFIX)
    if found := DIMENSIONS.get(old) or METRICS.get(old):
        return found
    if old in GONE:
        raise ValueError(f"GA4 has no '{name}': {GONE[old]}")
    if re.fullmatch(r"dimension\d+|metric\d+", old):
        raise ValueError(f"GA4 names custom fields by what they hold: write customEvent:... for '{name}'")
    raise ValueError(
        f"'{name}' is a name of Universal Analytics that is not known here: write GA4's own name "
        "(https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema)"
    )


def remark(name: str) -> str:
    """A sentence about a name of Universal Analytics that changed, or what it means did; "" where there is none."""
    old, new = name.removeprefix(PREFIX), modern(name)
    if old == name or (old == new and old not in MEANINGS):
        return ""
    meaning = MEANINGS.get(old)
    return f"'{name}' is now '{new}'" + (f": {meaning}" if meaning else "")
