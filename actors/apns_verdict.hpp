#pragma once

#include "actors/verdict.hpp"
#include "messages/answer.hpp"

namespace signalbox {

/// What a sender makes of an answer of APNs: the table of actors/apns_reactions.hpp, in the terms
/// that are common to all providers. Pure.
verdict judge_apns(const answer& from);

} // namespace signalbox
