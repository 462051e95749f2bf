# Reference values for bandwidths, log-linear fits and minimum contrast. Run: Rscript models.R > models.json
# The data are simulated here and nowhere else: an irregular polygon with a hole, points denser to one side, and a clustered pattern.
suppressPackageStartupMessages(library(spatstat))
set.seed(20251123)
outer <- list(x = c(0, 9, 10, 7, 8, 3, 1), y = c(0, 1, 6, 7, 10, 9, 5))
hole <- list(x = c(4, 4, 6, 6), y = c(4, 6, 6, 4))
w <- owin(poly = list(outer, hole))
p <- rpoispp(function(x, y) 6 * exp(-0.25 * x), win = w)
num <- function(v) paste0("[", paste(ifelse(is.finite(v), formatC(v, digits = 15, format = "g", width = -1), "null"), collapse = ","), "]")
put <- function(name, v, end = ",\n") cat('"', name, '": ', num(v), end, sep = "")
cat("{", '"version": "', R.version.string, ", spatstat.explore ", as.character(packageVersion("spatstat.explore")), ", spatstat.model ",
    as.character(packageVersion("spatstat.model")), '",', "\n", sep = "")
put("x", p$x); put("y", p$y)
cat('"outer": [', num(outer$x), ",", num(outer$y), '], "hole": [', num(hole$x), ",", num(hole$y), "],\n", sep = "")
# bandwidths: the criteria themselves on fine grids
dg <- bw.diggle(p, nr = 8192)
put("diggle", as.numeric(dg))
sigma <- exp(seq(log(0.8), log(3), length.out = 121))
pp <- bw.ppl(p, sigma = sigma, dimyx = 256)
put("likelihood", as.numeric(pp)); put("likelihood_sigma", sigma[seq(1, 121, 20)]); put("likelihood_cv", attr(pp, "cv")[seq(1, 121, 20)])
cv <- bw.CvL(p, sigma = exp(seq(log(0.1), log(2), length.out = 4000)))
put("cvl", as.numeric(cv)); put("scott", bw.scott.iso(p))
# circles: the share of circumference in the window, from the isotropic weights
ei <- edge.Ripley(p[1:20], r = matrix(1.7, 20, 20), maxweight = Inf)
put("circle_share", 1 / ei[, 1])
# Berman-Turner: the same nodes and weights on both sides
Q <- quadscheme(p, nd = 32)
U <- union.quad(Q)
put("qx", U$x); put("qy", U$y); put("qw", w.quad(Q)); put("qdata", as.integer(is.data(Q)))
side <- function(x, y) factor(ifelse(x + y < 7, "a", ifelse(x < 6, "b", "c")))
z <- function(x, y) sin(x) + 0.1 * y
tight <- glm.control(epsilon = 1e-14, maxit = 100)
fits <- list(
  slope = ppm(Q ~ x + z, data = list(z = z), gcontrol = tight),
  factor = ppm(Q ~ side * x, data = list(side = side), gcontrol = tight), offset = ppm(Q ~ x + offset(log(1 + y)), gcontrol = tight)
)
for (name in names(fits)) {
  f <- fits[[name]]
  put(paste0(name, "_coef"), coef(f)); put(paste0(name, "_se"), sqrt(diag(vcov(f)))); put(paste0(name, "_loglik"), as.numeric(logLik(f)))
}
# logistic: the same dummy points on both sides; the standard errors are those of the logistic regression
set.seed(7)
dummy <- rpoispp(12, win = w)
put("dx", dummy$x); put("dy", dummy$y)
d <- data.frame(x = c(p$x, dummy$x), y = c(p$y, dummy$y), hit = rep(1:0, c(npoints(p), npoints(dummy))))
g <- glm(hit ~ x + I(z(x, y)) + offset(rep(-log(npoints(dummy) / area(w)), nrow(d))), data = d, family = binomial, control = list(epsilon = 1e-14))
put("logistic_coef", coef(g)); put("logistic_se", sqrt(diag(vcov(g))))
# minimum contrast from one K function
c1 <- rThomas(0.8, 0.3, 6, win = w)
K <- Kest(c1, correction = "translate", r = seq(0, 2, length.out = 101))
put("r", K$r); put("k", K$trans)
t1 <- thomas.estK(K, startpar = c(kappa = 1, scale = 0.5), rmin = 0, rmax = 2)
l1 <- lgcp.estK(K, startpar = c(var = 1, scale = 0.5), covmodel = list(model = "exponential"), rmin = 0.02, rmax = 2)
put("thomas", t1$par); put("lgcp", l1$par, "\n}\n")
