# Reference values for the tests around given sites. Run: Rscript focused.R > focused.json
# All data are simulated here. sparr evaluates adaptive kernels exactly at the points' places, ours moves points to cell centres: see the tolerances
# in tests/proximity/test_relative_risk.py. The raised-incidence likelihoods are written out below and maximised by optim from many starts.
suppressWarnings(suppressPackageStartupMessages({library(spatstat); library(sparr); library(jsonlite)}))
set.seed(20251203)
out <- list(version = paste(R.version.string, "spatstat.explore", packageVersion("spatstat.explore"), "sparr", packageVersion("sparr")), seed = 20251203)

# relative risk
w <- owin(poly = list(x = c(0, 9, 10, 7, 8, 3, 1), y = c(0, 1, 6, 7, 10, 9, 5)))
cases <- rpoispp(function(x, y) 1.2 + 6 * exp(-((x - 3)^2 + (y - 3)^2)), win = w)
controls <- rpoispp(function(x, y) 4 * exp(-0.15 * x), win = w)
dim <- 48
spatstat.options(npixel = dim)
h <- 0.9
grid <- function(im) as.vector(t(as.matrix(im)))
fixed <- list(f = bivariate.density(cases, h0 = h, resolution = dim), g = bivariate.density(controls, h0 = h, resolution = dim))
pooled <- superimpose(cases, controls)
pool <- bivariate.density(pooled, h0 = h, resolution = dim)
own <- risk(cases, controls, h0 = h, hp = h, adapt = TRUE, resolution = dim, verbose = FALSE, tolerate = TRUE)
shared <- risk(cases, controls, h0 = h, hp = h, adapt = TRUE, pilot.symmetry = "pooled", resolution = dim, verbose = FALSE)
both <- superimpose(control = controls, case = cases)
ratio <- relrisk(both, sigma = h, casecontrol = TRUE, relative = TRUE, control = "control", dimyx = dim)
hs <- c(0.5, 0.8, 1.2, 1.8)
one <- sparr:::LIK.density.spatial.single
out$risk <- list(
  outer_x = c(0, 9, 10, 7, 8, 3, 1), outer_y = c(0, 1, 6, 7, 10, 9, 5), cases_x = cases$x, cases_y = cases$y, controls_x = controls$x,
  controls_y = controls$y, h = h, dim = dim, relrisk = grid(ratio), fixed = grid(log(fixed$f$z) - log(fixed$g$z)),
  fixed_p = grid(sparr:::tol.asy.fix(fixed$f, fixed$g, pool)$p), own = grid(own$rr), own_p = grid(own$P), shared = grid(shared$rr),
  oversmoothing = OS(pooled, nstar = sqrt(npoints(cases) * npoints(controls))), hs = hs,
  likelihood = sapply(hs, function(v) one(v, cases, 64, TRUE, 0)),
  least_squares = sapply(hs, function(v) sparr:::LSCV.risk.single(v, cases, controls, 64, TRUE, FALSE)))

# Scans: spatstat's own likelihood functions, on discs centred on the locations. scan.test itself lays its discs on rasters of their own, one for counts
# and another for the baseline, so that the discs of the two differ by a pixel; its maximum cannot be compared to the digit.
side <- 12
lattice <- expand.grid(x = seq_len(side) - 0.5, y = seq_len(side) - 0.5)
mean <- 0.5 + 3 * exp(-0.2 * lattice$x)
count <- rpois(side^2, mean * ifelse((lattice$x - 8)^2 + (lattice$y - 5)^2 < 5, 2.5, 1))
people <- count + rpois(side^2, 3)
apart <- crossdist(lattice$x, lattice$y, lattice$x, lattice$y)
scan <- function(likelihood, mu) max(sapply(c(0.5, 1.2, 1.7, 2.1, 2.5, 2.9, 3.1), function(r) {
  zone <- (apart <= r) * 1
  likelihood(as.vector(zone %*% count), sum(count), as.vector(zone %*% mu), sum(mu), "greater")
})) / 2
out$scan <- list(x = lattice$x, y = lattice$y, observed = count, expected = mean, population = people, max_radius = 3.1,
  poisson = scan(spatstat.explore:::scanPoisLRTS, mean), bernoulli = scan(spatstat.explore:::scanBinomLRTS, people))

# raised incidence, conditional: one site, two sites with a common alpha and beta, two with their own
n <- 300
x <- runif(n, 0, 10); y <- runif(n, 0, 10)
site <- rbind(c(3, 4), c(7, 7))
d2 <- sapply(1:2, function(s) (x - site[s, 1])^2 + (y - site[s, 2])^2)
f <- (1 + 9 * exp(-0.9 * d2[, 1])) * (1 + 3 * exp(-0.6 * d2[, 2]))
case <- as.integer(runif(n) < 0.25 * f / (1 + 0.25 * f))
conditional <- function(theta, d2, m) {  # log rho, then log alpha and log beta for each of m sites (one for all if m is 1)
  a <- exp(theta[1 + seq_len(m)]); b <- exp(theta[1 + m + seq_len(m)])
  l <- theta[1] + rowSums(sapply(seq_len(ncol(d2)), function(s) log1p(a[min(s, m)] * exp(-b[min(s, m)] * d2[, s]))))
  -sum(case * l - log1p(exp(l)))
}
climb <- function(fn, m, starts = 60) {
  best <- list(value = Inf)
  for (k in seq_len(starts)) {
    start <- c(rnorm(1, -1), rnorm(m, 1, 1.5), rnorm(m, 0, 1.5))
    try({
      one <- optim(start, fn, method = "BFGS", control = list(maxit = 2000, reltol = 1e-14))
      if (one$value < best$value) best <- one
    }, silent = TRUE)
  }
  list(log_likelihood = -best$value, rho = exp(best$par[1]), alpha = exp(best$par[1 + seq_len(m)]), beta = exp(best$par[1 + m + seq_len(m)]))
}
out$conditional <- list(distance = sqrt(d2), case = case, one = climb(function(t) conditional(t, d2[, 1, drop = FALSE], 1), 1),
  common = climb(function(t) conditional(t, d2, 1), 1), separate = climb(function(t) conditional(t, d2, 2), 2))

# raised incidence over a known baseline, integrals as sums over 64 x 64 cells of [0, 10]^2
cell <- expand.grid(x = (seq_len(64) - 0.5) * 10 / 64, y = (seq_len(64) - 0.5) * 10 / 64)
baseline <- exp(-0.2 * cell$x); mass <- baseline * (10 / 64)^2
near <- function(x, y) pmin((x - 3)^2 + (y - 4)^2, (x - 7)^2 + (y - 7)^2)
pick <- sample(nrow(cell), 120, TRUE, mass * (1 + 6 * exp(-1.2 * near(cell$x, cell$y))))
ex <- cell$x[pick] + runif(120, -0.078, 0.078); ey <- cell$y[pick] + runif(120, -0.078, 0.078)
poisson <- function(theta) {
  fx <- 1 + exp(theta[2]) * exp(-exp(theta[3]) * near(ex, ey))
  integral <- sum(mass * (1 + exp(theta[2]) * exp(-exp(theta[3]) * near(cell$x, cell$y))))
  -(sum(theta[1] + log(fx)) - exp(theta[1]) * integral)
}
out$kernel <- list(x = ex, y = ey, fit = climb(poisson, 1), null = sum(rep(log(120 / sum(mass)), 120)) - 120)

# Stone's MLR by isoreg (equal expected), exact limits of ring counts
o <- rpois(25, 2 * c(3, 2, 1.5, rep(1, 22)))
level <- mean(o)
risk <- rev(isoreg(rev(o))$yf)
out$stone <- list(observed = o, mlr = 2 * (sum(ifelse(o > 0, o * log(risk / level), 0)) - sum(risk - level)))
limit <- function(k, phi, side) uniroot(function(m) (if (side == 1) pnbinom(k - 1, 1 / phi, mu = m, lower.tail = FALSE) else
  pnbinom(k, 1 / phi, mu = m)) - 0.025, c(1e-6, 1e4), tol = 1e-10)$root
out$rings <- list(observed = c(7, 2), expected = c(3.5, 4), poisson = sapply(c(7, 2), function(k) poisson.test(k)$conf.int),
  negative_binomial = sapply(c(7, 2), function(k) c(limit(k, 0.4, 1), limit(k, 0.4, 2))), dispersion = 0.4)
cat(toJSON(out, digits = 9, auto_unbox = TRUE, na = "null"), "\n")
