# Reference values for tests/baseline and tests/proximity. Run: Rscript spatstat.R > spatstat.json
# The data are simulated here and nowhere else: an irregular polygon with a hole, points denser to one side.
suppressPackageStartupMessages(library(spatstat))
set.seed(20251114)
outer <- list(x = c(0, 9, 10, 7, 8, 3, 1), y = c(0, 1, 6, 7, 10, 9, 5))
hole <- list(x = c(4, 4, 6, 6), y = c(4, 6, 6, 4))
w <- owin(poly = list(outer, hole))
p <- rpoispp(function(x, y) 2 * exp(-0.25 * x), win = w)
sites <- ppp(c(2, 5, 8), c(3, 2, 5), window = w)
sigma <- 1.3
dim <- 48
num <- function(v) paste0("[", paste(ifelse(is.na(v), "null", formatC(v, digits = 15, format = "g", width = -1)), collapse = ","), "]")
cells <- function(im) num(as.vector(t(as.matrix(im))))
uniform <- density(p, sigma, edge = TRUE, diggle = FALSE, dimyx = dim)
diggle <- density(p, sigma, edge = TRUE, diggle = TRUE, dimyx = dim)
none <- density(p, sigma, edge = FALSE, dimyx = dim)
at_uniform <- density(p, sigma, at = "points", leaveoneout = TRUE, edge = TRUE, diggle = FALSE, dimyx = 512)
at_diggle <- density(p, sigma, at = "points", leaveoneout = TRUE, edge = TRUE, diggle = TRUE, dimyx = 512)
at_none <- density(p, sigma, at = "points", leaveoneout = TRUE, edge = FALSE)
# the mask from which spatstat takes the edge correction: its scan conversion of the polygon differs from the cell-centre rule in a few cells
mask <- as.mask(w, xy = list(x = none$xcol, y = none$yrow))$m
d <- distfun(sites)
z1 <- berman.test(p, d, which = "Z1", dimyx = 512)
z2 <- berman.test(p, d, which = "Z2", dimyx = 512)
cat("{", '"version": "', R.version.string, ", spatstat.explore ", as.character(packageVersion("spatstat.explore")), '",', "\n", sep = "")
cat('"outer": [', num(outer$x), ",", num(outer$y), '], "hole": [', num(hole$x), ",", num(hole$y), "],\n", sep = "")
cat('"x": ', num(p$x), ', "y": ', num(p$y), ', "sigma": ', sigma, ', "dim": ', dim, ",\n", sep = "")
cat('"uniform": ', cells(uniform), ',\n"diggle": ', cells(diggle), ',\n"none": ', cells(none), ",\n", sep = "")
cat('"mask": ', num(as.integer(t(mask))), ",\n", sep = "")
cat('"at_uniform": ', num(at_uniform), ',\n"at_diggle": ', num(at_diggle), ',\n"at_none": ', num(at_none), ",\n", sep = "")
cat('"z1": ', num(z1$statistic), ', "z2": ', num(z2$statistic), ', "p1": ', num(z1$p.value), ', "p2": ', num(z2$p.value), "\n}\n", sep = "")
