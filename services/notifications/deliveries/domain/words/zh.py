"""Chinese."""

WORDS = {
    "partner_registered": (
        "{label} 已登记为合作伙伴",
        "{label} 已列入合作伙伴名册。",
    ),
    "partner_suspended": (
        "{label} 的合作伙伴资格已暂停",
        "与 {label} 的合作已暂停。原因：{reason}\n在恢复之前，不能与该合作伙伴商定或签署任何新的文件。",
    ),
    "partner_reinstated": (
        "{label} 的合作伙伴资格已恢复",
        "对 {label} 的暂停已解除。原因：{reason}",
    ),
    "person_invited": (
        "邀请您代表 {label}",
        "您受邀在 Concord 中代表 {label}。\n请用邀请人交给您的代码在 {expires_at} 之前接受邀请。",
    ),
    "agreement_sent": (
        "{label} 可以签署",
        "{label}《{title}》的文本已定稿并送交签署。\n可在 {closes_at} 之前签署。",
    ),
    "agreement_signed": (
        "{label} 有新的签署",
        "{label} 一方的签署已记录。",
    ),
    "agreement_in_force": (
        "{label} 已生效",
        "{label}《{title}》自 {effective_on} 起生效，至 {ends_on} 止。",
    ),
    "agreement_expired": (
        "{label} 已到期",
        "{ends_on} 是 {label} 有效的最后一天。",
    ),
    "agreement_lapsed": (
        "{label} 未按时签署",
        "{label} 的签署期限已于 {closed_at} 结束，各方尚未全部签署。",
    ),
    "agreement_held": (
        "{label} 已搁置",
        "由于该合作伙伴被暂停，{label} 已搁置。其间不能签署任何文件。",
    ),
    "agreement_hold_ended": (
        "{label} 不再搁置",
        "{label} 的搁置已结束，工作可以继续。",
    ),
}
