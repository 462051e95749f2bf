# MAD and DCLF tests in spatstat on saved curves: Rscript envelopes.R > envelopes.json
suppressPackageStartupMessages(library(spatstat))
set.seed(20251114)
out <- list(); put <- function(name, values) out[[name]] <<- paste0("[", paste(formatC(values, digits = 12, format = "g"), collapse = ", "), "]")
w <- owin(poly = list(list(x = c(0, 9, 10, 7, 8, 3, 1), y = c(0, 1, 6, 7, 10, 9, 5)), list(x = c(4, 4, 6, 6), y = c(4, 6, 6, 4))))
patterns <- list(poisson = runifpoint(80, w), clustered = rThomas(0.25, 0.4, 5, win = w), regular = rSSI(0.7, 60, w))
for (name in names(patterns)) {
  p <- patterns[[name]]
  e <- envelope(p, Lest, nsim = 39, r = seq(0, 1.5, by = 0.1), correction = "isotropic", savefuns = TRUE, verbose = FALSE,
                simulate = expression(runifpoint(npoints(p), w)))
  curves <- rbind(e$obs, t(as.matrix(as.data.frame(attr(e, "simfuns")))[, -1]))
  put(paste0(name, "_curves"), as.vector(t(curves[, -1])))  # r = 0 left out; row by row, the observed curve first
  for (alternative in c("two.sided", "greater", "less"))
    for (kind in c("mad", "dclf")) {
      test <- get(paste0(kind, ".test"))(e, alternative = alternative, use.theory = FALSE, rinterval = c(0.1, 1.5), clamp = TRUE, verbose = FALSE)
      put(paste(name, kind, sub("two.sided", "two-sided", alternative), sep = "_"), c(test$p.value, test$statistic[[1]]))
    }
}
out$version <- paste0('"', R.version.string, ", spatstat.explore ", as.character(packageVersion("spatstat.explore")), '"')
cat("{", paste(sprintf('"%s": %s', names(out), out), collapse = ",\n"), "}\n")
