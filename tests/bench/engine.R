# R's side of tests/bench/engine.py. Arguments: a folder with points.csv and sites.csv, the largest r of K, the number of draws to scale to.
suppressWarnings(suppressPackageStartupMessages(library(spatstat)))
arguments <- commandArgs(TRUE); folder <- arguments[1]; largest <- as.numeric(arguments[2]); scale_to <- as.numeric(arguments[3])
data <- read.csv(file.path(folder, "points.csv")); site <- read.csv(file.path(folder, "sites.csv"))
w <- owin(poly = list(list(x = c(0, 9, 10, 7, 8, 3, 1), y = c(0, 1, 6, 7, 10, 9, 5)), list(x = c(4, 4, 6, 6), y = c(4, 6, 6, 4))))
p <- ppp(data$x, data$y, window = w, check = FALSE); s <- ppp(site$x, site$y, window = w)
n <- npoints(p); shape <- function(x, y) exp(-x / 8); grid <- as.im(shape, w, dimyx = 256); scale <- n / integral(grid)
grid <- eval.im(grid * scale); at <- function(q) scale * shape(q$x, q$y); lam <- at(p)
rk <- seq(0, largest, length.out = 21); rc <- seq(0, 1, length.out = 21)
say <- function(name, f, value = function(found) NA, once = FALSE, times = 1) {
  t <- numeric(0)
  while (length(t) < (if (once) 1 else if (!length(t) || t[1] < 0.5) 15 else if (t[1] < 10) 3 else 1)) {
    gc(); t <- c(t, system.time(found <- f())[["elapsed"]])
  }
  cat(name, median(t) * times, format(value(found), digits = 17), "\n"); flush(stdout())
}
last <- function(found) tail(found$trans, 1)
cross <- function(q, correction) Kcross.inhom(superimpose(i = s, j = q, W = w, check = FALSE), "i", "j", rep(intensity(s), npoints(s)), at(q),
                                              r = rc, correction = correction)
draw <- function() superimpose(i = s, j = rpoint(n, grid), W = w, check = FALSE)
say("k", function() Kinhom(p, lam, r = rk, correction = "translate"), last)
say("cross", function() cross(p, "translate"), last)
say("intensity", function() density(p, 0.5, dimyx = 512), mean)
say("loglinear", function() ppm(p ~ x + y, nd = 128), function(found) coef(found)[["x"]])
say("draws", function() for (b in 1:9) cross(rpoint(n, grid), "translate"), once = TRUE, times = scale_to / 9)
say("dclf", function() suppressWarnings(dclf.test(superimpose(i = s, j = p, W = w, check = FALSE), function(X, ...) cross(split(X)$j, "translate"),
  nsim = 9, simulate = expression(draw()), verbose = FALSE, use.theory = FALSE)), once = TRUE, times = (scale_to + 1) / 10)
if (n <= 1e4) say("points", function() density(p, 0.5, at = "points", leaveoneout = TRUE, dimyx = 512), mean)
if (n <= 1e4) say("likelihood", function() bw.ppl(p), function(found) max(attr(found, "cv")))
