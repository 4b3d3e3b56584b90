# Golden designs: rpact (Debian r-cran-rpact) and base R. Writes golden_designs.json beside this script:
#   Rscript golden_designs.R > golden_designs.json
suppressMessages(library(rpact))
setLogLevel("DISABLED")
out <- character(0)
num <- function(x) ifelse(is.finite(x), sprintf("%.12g", x), "null")
val <- function(x) {
  if (is.character(x)) return(if (length(x) == 1) sprintf("\"%s\"", x) else stop("one word"))
  if (length(x) == 1 && is.null(attr(x, "list"))) num(x) else sprintf("[%s]", paste(num(x), collapse = ", "))
}
many <- function(x) structure(x, list = TRUE)
obj <- function(l) sprintf("{%s}", paste(sprintf("\"%s\": %s", names(l), sapply(l, val)), collapse = ", "))
case <- function(name, what, input, options, expected, rel_tol) {
  out <<- c(out, sprintf(
    "  {\"name\": \"%s\", \"what\": \"%s\", \"input\": %s, \"options\": %s, \"expected\": %s, \"rel_tol\": %g, \"abs_tol\": 1e-7}",
    name, what, obj(input), obj(options), obj(expected), rel_tol))
}

# Group sequential designs.
kinds <- list(
  OF = list("obrien_fleming"), P = list("pocock"),
  WT = list("wang_tsiatis_0.25", deltaWT = 0.25), HP = list("haybittle_peto_3", constantBoundsHP = 3),
  asOF = list("lan_demets_obrien_fleming"), asP = list("lan_demets_pocock"),
  asKD = list("kim_demets_power_1.5", gammaA = 1.5), asKD = list("kim_demets_power_3", gammaA = 3),
  asHSD = list("hwang_shih_decani_minus_4", gammaA = -4), asHSD = list("hwang_shih_decani_1", gammaA = 1))
rates <- list(even = (1:4) / 4, uneven = c(0.3, 0.8, 1))
design <- function(type, kind, t, sided, ...) do.call(getDesignGroupSequential, c(
  list(kMax = length(t), informationRates = t, alpha = 0.025 * sided, beta = 0.2, sided = sided,
       typeOfDesign = type, twoSidedPower = sided == 2, tolerance = 1e-10), kind[-1], list(...)))
sequential <- function(d) {
  ch <- getDesignCharacteristics(d)
  list(critical_values = many(d$criticalValues), drift = sqrt(ch$shift), inflation = ch$inflationFactor,
       cumulative_power = many(ch$power), expected_h1 = ch$averageSampleNumber1,
       expected_h01 = ch$averageSampleNumber01, expected_h0 = ch$averageSampleNumber0)
}
for (i in seq_along(kinds)) for (r in names(rates)) for (sided in 1:2) {
  kind <- kinds[[i]]; t <- rates[[r]]
  d <- design(names(kinds)[i], kind, t, sided)
  case(sprintf("%s_%s_%d", kind[[1]], r, sided), "sequential", list(looks = many(t)),
       list(design = kind[[1]], alpha = 0.025 * sided, sides = sided, power = 0.8), sequential(d), 2e-5)
}
# Futility by given bounds, and by spending.
for (binding in c(TRUE, FALSE)) for (i in c(1, 2, 5, 6)) {
  kind <- kinds[[i]]
  d <- design(names(kinds)[i], kind, c(0.3, 0.8, 1), 1, futilityBounds = c(-0.2, 0.6), bindingFutility = binding)
  case(sprintf("futility_%s_%s", kind[[1]], if (binding) "binding" else "non_binding"), "sequential",
       list(looks = many(c(0.3, 0.8, 1)), futility = many(c(-0.2, 0.6))),
       list(design = kind[[1]], alpha = 0.025, sides = 1, power = 0.8,
            binding = if (binding) "binding" else "non_binding"), sequential(d), 2e-5)
}
spent <- list(bsOF = list("lan_demets_obrien_fleming"), bsP = list("lan_demets_pocock"),
              bsKD = list("kim_demets_power_2", gammaB = 2), bsHSD = list("hwang_shih_decani_minus_2", gammaB = -2))
for (binding in c(TRUE, FALSE)) for (i in seq_along(spent)) {
  b <- spent[[i]]
  d <- do.call(design, c(list("asOF", kinds$asOF, c(0.4, 0.7, 1), 1, typeBetaSpending = names(spent)[i],
                              bindingFutility = binding), b[-1]))
  case(sprintf("beta_%s_%s", b[[1]], if (binding) "binding" else "non_binding"), "sequential",
       list(looks = many(c(0.4, 0.7, 1))),
       list(design = "lan_demets_obrien_fleming", alpha = 0.025, sides = 1, power = 0.8,
            binding = if (binding) "binding" else "non_binding", beta_spending = b[[1]]),
       c(list(futility_values = many(d$futilityBounds)), sequential(d)), 5e-5)
}
# After a stop, and before one: means with a standard deviation of 1, n people in each group at the end.
n <- 200
for (i in c(1, 2, 5, 6)) for (stop in 1:3) {
  kind <- kinds[[i]]; t <- c(0.25, 0.5, 1)
  d <- design(names(kinds)[i], kind, t, 1)
  z <- c(1.1, 1.3, 1.9); z[stop] <- if (stop < 3) d$criticalValues[stop] + 0.15 else 1.9
  k <- seq_len(stop); at <- n * t[k]
  data <- getDataset(cumulativeN1 = at, cumulativeN2 = at, cumulativeMeans1 = z[k] * sqrt(2 / at),
                     cumulativeMeans2 = 0 * at, cumulativeStDevs1 = rep(1, stop), cumulativeStDevs2 = rep(1, stop))
  s <- getStageResults(d, data, normalApproximation = TRUE)
  repeated <- getRepeatedConfidenceIntervals(d, data, normalApproximation = TRUE)[, stop] * sqrt(n / 2)
  final <- suppressMessages(getFinalConfidenceInterval(d, data, normalApproximation = TRUE))
  case(sprintf("stopped_%s_%d", kind[[1]], stop), "stopped", list(looks = many(t), z = z[stop], look = stop),
       list(design = kind[[1]], alpha = 0.025, sides = 1),
       list(p_value = tail(getFinalPValue(s)$pFinal, 1), median_unbiased = final$medianUnbiased * sqrt(n / 2),
            interval = many(final$finalConfidenceInterval * sqrt(n / 2)), repeated = many(as.numeric(repeated))), 1e-4)
  if (stop < 3 && i %in% c(1, 5)) {
    z[stop] <- 1.2
    data <- getDataset(cumulativeN1 = at, cumulativeN2 = at, cumulativeMeans1 = z[k] * sqrt(2 / at),
                       cumulativeMeans2 = 0 * at, cumulativeStDevs1 = rep(1, stop), cumulativeStDevs2 = rep(1, stop))
    s <- getStageResults(d, data, normalApproximation = TRUE)
    for (drift in c(0, 2, 3)) {
      # nPlanned counts both groups in each stage to come.
      cp <- getConditionalPower(s, nPlanned = 2 * n * diff(t)[stop:2], thetaH1 = drift * sqrt(2 / n), assumedStDev = 1)
      case(sprintf("conditional_%s_%d_drift_%g", kind[[1]], stop, drift), "conditional",
           list(looks = many(t), z = 1.2, look = stop, drift = drift), list(design = kind[[1]], alpha = 0.025, sides = 1),
           list(conditional_power = cp$conditionalPower[3]), 1e-5)
    }
  }
}
# Fixed designs: means, proportions, survival (rpact), and base R.
for (ratio in c(1, 2)) for (sided in 1:2) {
  o <- list(alpha = 0.025 * sided, sides = sided, power = 0.9, ratio = ratio)
  d <- function(...) getDesignGroupSequential(kMax = 1, alpha = 0.025 * sided, beta = 0.1, sided = sided, tolerance = 1e-10, ...)
  for (normal in c(TRUE, FALSE)) {
    s <- getSampleSizeMeans(d(), alternative = 0.35, stDev = 1, allocationRatioPlanned = ratio, normalApproximation = normal)
    case(sprintf("means_%s_ratio_%g_%d", if (normal) "normal" else "t", ratio, sided), "means",
         list(effect_size = 0.35), c(o, formula = if (normal) "normal" else "t"), list(n_control = s$nFixed2), 1e-6)
  }
  s <- getSampleSizeRates(d(), pi1 = 0.23, pi2 = 0.15, allocationRatioPlanned = ratio, normalApproximation = TRUE)
  case(sprintf("proportions_ratio_%g_%d", ratio, sided), "proportions", list(treated = 0.23, control = 0.15), o,
       list(n_control = s$nFixed2), 1e-6)
  for (type in c("Schoenfeld", "Freedman")) {
    s <- getSampleSizeSurvival(d(), hazardRatio = 0.7, lambda2 = 0.05, typeOfComputation = type, allocationRatioPlanned = ratio)
    case(sprintf("survival_%s_ratio_%g_%d", tolower(type), ratio, sided), "events", list(hazard_ratio = 0.7),
         c(o, formula = tolower(type)), list(events = s$eventsFixed), 1e-6)
  }
}
for (n in c(80, 300)) for (p in c(0.25, 0.3)) case(sprintf("base_proportions_%d_%g", n, p), "base_proportions",
  list(treated = p, control = 0.15, each = n), list(alpha = 0.05, sides = 2),
  list(power = power.prop.test(n, p, 0.15, strict = TRUE)$power), 1e-9)
for (n in c(20, 120)) for (d in c(0.3, 0.5)) case(sprintf("base_means_%d_%g", n, d), "base_means",
  list(effect_size = d, each = n), list(alpha = 0.05, sides = 2),
  list(power = power.t.test(n, d, strict = TRUE)$power), 1e-8)
cat("{\n\"topic\": \"golden_designs\",\n\"oracle\": \"R ", as.character(getRversion()), ", rpact ",
    as.character(packageVersion("rpact")), "\",\n\"cases\": [\n", paste(out, collapse = ",\n"), "\n]\n}\n", sep = "")
