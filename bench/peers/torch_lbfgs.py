"""L-BFGS over many small problems at once, in PyTorch: minimises J/n = sum(log|L_ii|) + tr(L^-1 R L^-T)/2 of every group.

R is a group's correlation matrix and L lower triangular, started at I: the problem that mvnfit's iterative methods solve after they have
standardised the columns. Two-loop recursion, m = 8 (Nocedal & Wright, ch. 7), backtracking to Armijo's condition or, once rounding hides
it, Hager & Zhang's approximate Wolfe condition. Every step is a batched tensor operation, the gradient is autograd's, and groups that
have converged leave the batch.
"""

MEMORY = 8
MOST_ITERATIONS = 500
SHRINKS = 20


def fit_lbfgs(correlation, tolerance):
    """The factors [B, d, d] at which ||I - W||_F <= tolerance, W = L^-1 R L^-T, or where no step improves any more."""
    import torch

    batch, d, _ = correlation.shape
    rows, columns = torch.tril_indices(d, d)
    diagonal = torch.arange(d)
    eye = torch.eye(d, dtype=correlation.dtype)

    def matrix(p):
        L = p.new_zeros(len(p), d, d)
        L[:, rows, columns] = p
        return L

    def objective(p, R):
        with torch.enable_grad():
            p = p.detach().requires_grad_()
            L = matrix(p)
            Y = torch.linalg.solve_triangular(L, R, upper=False)
            W = torch.linalg.solve_triangular(L, Y.transpose(1, 2), upper=False)
            J = L[:, diagonal, diagonal].abs().log().sum(dim=1) + W[:, diagonal, diagonal].sum(dim=1) / 2
            (gradient,) = torch.autograd.grad(J.sum(), p)
        return J.detach(), gradient, torch.linalg.matrix_norm(eye - W.detach())

    result = correlation.new_empty(batch, len(rows))
    active = torch.arange(batch)
    R = correlation
    p = eye[rows, columns].expand(batch, -1).clone()
    J, g, residual = objective(p, R)
    history = []  # of (s, y, 1/(s.y)), each [B, ...]
    noise = 10 * torch.finfo(correlation.dtype).eps

    for _ in range(MOST_ITERATIONS):
        going = residual > tolerance
        if not going.all():
            result[active[~going]] = p[~going]
            active, R, p, J, g = active[going], R[going], p[going], J[going], g[going]
            residual = residual[going]
            history = [tuple(part[going] for part in pair) for pair in history]
        if len(active) == 0:
            break
        direction = -two_loop(g, history)
        slope = (direction * g).sum(dim=1)
        uphill = slope >= 0
        direction[uphill] = -g[uphill]
        slope = (direction * g).sum(dim=1)
        step = torch.ones_like(J) if history else (1 / g.norm(dim=1)).clamp(max=1)
        at, J1, g1, residual1 = p.clone(), J.clone(), g.clone(), residual.clone()
        trying = torch.arange(len(active))
        for _ in range(SHRINKS):
            trial = p[trying] + step[trying, None] * direction[trying]
            Jt, gt, rt = objective(trial, R[trying])
            armijo = Jt <= J[trying] + 1e-4 * step[trying] * slope[trying]
            flat = (Jt <= J[trying] + noise * J[trying].abs().clamp(min=1)) & (
                (gt * direction[trying]).sum(dim=1).abs() <= 0.9 * slope[trying].abs()
            )
            good = armijo | flat
            accepted = trying[good]
            at[accepted], J1[accepted], g1[accepted], residual1[accepted] = trial[good], Jt[good], gt[good], rt[good]
            trying = trying[~good]
            if len(trying) == 0:
                break
            step[trying] *= 0.5
        s, y = at - p, g1 - g
        curvature = (s * y).sum(dim=1)
        useful = curvature > 1e-300
        rho = torch.where(useful, 1 / curvature, 0)
        history = [*history[-(MEMORY - 1) :], (s, y, rho)]
        stuck = torch.zeros(len(active), dtype=torch.bool)
        stuck[trying] = True
        p, J, g = at, J1, g1
        residual = torch.where(stuck, 0, residual1)  # no step improves: as far as it goes
    else:
        result[active] = p
    return matrix(result)


def two_loop(g, history):
    """H g, with a pair whose curvature was no good (rho = 0) left out."""
    import torch

    q = g.clone()
    alphas = []
    for s, y, rho in reversed(history):
        alpha = rho * (s * q).sum(dim=1)
        q -= alpha[:, None] * y
        alphas.append(alpha)
    if history:
        s, y, rho = history[-1]
        yy = (y * y).sum(dim=1)
        scale = torch.where(rho > 0, 1 / (rho * yy), 1)
        q *= scale[:, None]
    for (s, y, rho), alpha in zip(history, reversed(alphas)):
        beta = rho * (y * q).sum(dim=1)
        q += (alpha - beta)[:, None] * s
    return q
