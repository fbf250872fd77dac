#include "claims/claim.h"

const char *claim_kind_name(enum claim_kind kind)
{
    static const char *const names[CLAIM_KINDS] = {
        [CLAIM_DEFINITION] = "definition", [CLAIM_ARITHMETIC] = "arithmetic",
        [CLAIM_EMERGENT] = "emergent",     [CLAIM_MEASURED] = "measured",
        [CLAIM_CALIBRATED] = "calibrated", [CLAIM_PREDICTION] = "prediction",
    };
    return names[kind];
}

bool claim_kind_counts(enum claim_kind kind)
{
    return kind == CLAIM_EMERGENT || kind == CLAIM_MEASURED || kind == CLAIM_PREDICTION;
}
