#pragma once

#include <set>
#include <string>
#include <vector>

#include "tests/deploy/manifests.h"

namespace attendant {

// What no schema sees: names, labels, ports and paths in objects that must fit each other, and what each
// container must say about security and resources. external_secrets: names of Secrets that something else
// makes. One line each; empty: nothing is wrong.
std::vector<std::string> LinkProblems(const Manifests& manifests,
                                      const std::set<std::string>& external_secrets = {});

// What does not fit between a pod (a Deployment's, or what has its fields) and the server: flags,
// configuration, drain times, probes.
std::vector<std::string> ServerProblems(const Manifests& manifests);

}  // namespace attendant
