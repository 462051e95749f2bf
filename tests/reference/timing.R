# Reference values for the tests of time. Run: Rscript timing.R > timing.json
# Knox is written out below, with every permutation of five attacks; the case-crossover is survival::clogit, the clustered errors sandwich::vcovCL,
# the Hawkes log-likelihood a double loop maximised by optim.
suppressPackageStartupMessages({library(survival); library(sandwich); library(jsonlite)})
set.seed(20251123)
out <- list(version = paste(R.version.string, "survival", packageVersion("survival"), "sandwich", packageVersion("sandwich")), seed = 20251123)

# exact rate ratios
out$rates <- lapply(list(c(3, 1309, 1, 50), c(0, 100, 4, 80), c(12, 30, 5, 45), c(5, 200, 0, 90)), function(v) {
  t <- poisson.test(c(v[1], v[3]), c(v[2], v[4]))
  list(given = v, ratio = unname(t$estimate), low = t$conf.int[1], high = t$conf.int[2], p = t$p.value)
})

# difference-in-differences: 60 attacks on days 1..600, three kinds of site notified on days 200, 350 and never
day <- sort(sample(600, 60))
strikes <- do.call(rbind, lapply(seq_along(day), function(a) data.frame(attack = a, day = day[a], unit = sample(3, 1 + rpois(1, 2), TRUE))))
strikes$given <- c(200, 350, Inf)[strikes$unit]
panel <- expand.grid(attack = unique(strikes$attack), unit = 1:3)
panel$day <- day[panel$attack]
panel$y <- mapply(function(a, u) sum(strikes$attack == a & strikes$unit == u), panel$attack, panel$unit)
panel$told <- as.numeric(panel$day >= c(200, 350, Inf)[panel$unit])
panel$period <- findInterval(panel$day, c(200, 350))
fit <- glm(y ~ told + factor(unit) + factor(period), poisson, panel, epsilon = 1e-12)
out$did <- list(attack = strikes$attack, day = strikes$day, unit = strikes$unit, beta = unname(coef(fit)["told"]),
  se = sqrt(vcovCL(fit, panel$attack, type = "HC0")["told", "told"]))
tab <- matrix(c(7, 2, 9, 11), 2, byrow = TRUE)
f <- fisher.test(tab)
out$fisher <- list(table = tab, ratio = unname(f$estimate), low = f$conf.int[1], high = f$conf.int[2], p = f$p.value)

# interrupted series
count <- rpois(30, exp(1 + 0.02 * (1:30) + 0.4 * (1:30 > 14)))
x <- data.frame(y = count, after = as.numeric(1:30 > 14), t = 1:30)
q <- glm(y ~ after + t, quasipoisson, x, epsilon = 1e-12)
out$series <- list(count = count, change = 14, beta = unname(coef(q)["after"]), se = unname(sqrt(diag(vcov(q)))["after"]),
  dispersion = summary(q)$dispersion)

# case-crossover: 25 cases, days of the same weekday and month as controls, one unit
first <- as.Date("2023-01-01"); last <- as.Date("2023-12-31")
case <- sort(sample(seq(first, last, 1), 25)); event <- sort(sample(seq(first, last, 1), 14))
rows <- do.call(rbind, lapply(seq_along(case), function(s) {
  d <- case[s] + 7 * (-4:4)
  d <- d[format(d, "%Y-%m") == format(case[s], "%Y-%m") & d >= first & d <= last]
  data.frame(set = s, case = as.numeric(d == case[s]), x = sapply(d, function(u) as.numeric(any(u - event >= 0 & u - event < 7))))
}))
cl <- clogit(case ~ x + strata(set), rows, method = "exact")
out$crossover <- list(case = format(case), event = format(event), beta = unname(coef(cl)), se = sqrt(vcov(cl)[1, 1]))

# Knox: 14 strikes of five attacks; pairs of different attacks within 2 and 3 days, under all 120 permutations of the attacks' times
attack <- c(1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 5); when <- c(0, 2, 9, 11, 30)
e <- round(runif(14, 0, 6), 3); n <- round(runif(14, 0, 6), 3)
near <- as.matrix(dist(cbind(e, n))) <= 2 & outer(attack, attack, "!=")
perms <- function(v) if (length(v) == 1) list(v) else do.call(c, lapply(seq_along(v), function(i) lapply(perms(v[-i]), function(p) c(v[i], p))))
knox <- function(t) sum(near & abs(outer(t[attack], t[attack], "-")) <= 3) / 2
all <- sapply(perms(when), knox)
out$knox <- list(attack = attack, when = when, easting = e, northing = n, statistic = knox(when), p = mean(all >= knox(when)), mean = mean(all))

# Hawkes
ll <- function(t, end, mu, alpha, beta) {
  s <- 0
  for (i in seq_along(t)) s <- s + log(mu + alpha * sum(exp(-beta * (t[i] - t[t < t[i]]))))
  s - mu * end - alpha / beta * sum(1 - exp(-beta * (end - t)))
}
t <- numeric(0); s <- 0; end <- 400
repeat { # Ogata's thinning, mu 0.2, alpha 0.4, beta 0.8
  bound <- 0.2 + 0.4 * sum(exp(-0.8 * (s - t)))
  s <- s + rexp(1, bound)
  if (s > end) break
  if (runif(1) * bound <= 0.2 + 0.4 * sum(exp(-0.8 * (s - t)))) t <- c(t, s)
}
t <- round(t, 4)
best <- optim(log(c(0.2, 0.5, 0.8)), function(p) { v <- exp(p); -ll(t, end, v[1], v[2] * v[3], v[3]) }, hessian = TRUE,
  control = list(reltol = 1e-14, maxit = 5000))
cov <- solve(best$hessian)
out$hawkes <- list(times = t, end = end, value = ll(t, end, 0.3, 0.2, 0.5), mu = exp(best$par[1]), branching = exp(best$par[2]), beta = exp(best$par[3]),
  se_log = sqrt(diag(cov)), log_likelihood = -best$value)
cat(toJSON(out, digits = 12, auto_unbox = TRUE, pretty = TRUE), "\n")
