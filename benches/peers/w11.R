source("benchlib.R")
read <- function(s) { d <- data.frame(lapply(setNames(nm = c("id", "wave", "arm", "baseline", "y")), function(n) rd("W11", s, n)))
  d$f <- factor(d$wave); d$a <- factor(d$arm); d }
# One intercept, one effect of every arm and one slope of the baseline for each wave; people independent.
gls <- function(s) { suppressMessages(library(nlme)); d <- read(s)
  fit <- function() nlme::gls(y ~ 0 + f + f:a + f:baseline, d, correlation = corSymm(form = ~ wave | id), weights = varIdent(form = ~ 1 | f), method = "REML", control = glsControl(maxIter = 200, msMaxIter = 500, tolerance = 1e-8))
  pick <- function(m) { k <- grep(":a[0-9]", names(coef(m))); k <- k[order(sub(".*:a", "", names(coef(m))[k]), k)]; list(coef = coef(m)[k], se = sqrt(diag(vcov(m)))[k]) }
  bench(fit, pick, "W11", s, "R_nlme_gls", paste("nlme", V("nlme"))) }
main(list(R_nlme_gls = gls))
