"""Models of binary units with an energy: Boltzmann machines, and the deep nets made of them.

A state s of the units, each 0 or 1, has an energy, and a low energy means a high probability ::

    P(s) = e^{-E(s)}/Z            Z = Σ_s e^{-E(s)}

Some units are visible, v: the pixels of an image. The others, h, are there so that P(v) can be
richer than the energy alone. Z is a sum over all states, which nobody can write down for hundreds
of units. Three things follow:

    training    the gradient of ln P(v) is a mean given the data minus a mean under the model. No
                tape computes it: `train_step` writes it down. What is missing are samples of the
                model, and Gibbs chains provide them (or, in a Helmholtz machine, a second net)
    the figure  ln P(v), or a lower bound of it, in nats. It needs ln Z: by enumeration where that
                is possible, by annealed importance sampling elsewhere (ais.py). That takes long,
                so not every epoch has it; the setting `ais_every` says which do
    gradcheck   with the samples held fixed, the rule is the gradient of a difference of energies;
                `check` has that difference

Who is tied to whom makes the systems differ:

    file          units and ties                                    figure             lecture
    rbm           v and h, no ties within a group                   log-likelihood     D1 141-196
    boltzmann     all tied to all, with hidden units or without     bound              D1 20
    dbm           layers, all ties undirected                       bound              D1 198-207
    dbn           layers, directed but for the two at the top       bound, or error    U3 74
    helmholtz     layers, directed downwards; a second net upwards  bound and nll      D1 20

Read `rbm` first. There the units of one group are independent given the other, so a Gibbs step is
two matrix products, and P(h|v) is exact. `boltzmann` shows what is lost without that: units take
turns, and the mean given the data has to be approximated too, by mean field or by chains. `dbn` and
`dbm` stack restricted machines and train them in turn. In a `dbn` the lower layers become a
directed net, in a `dbm` the whole is one Boltzmann machine, which is then trained as such.
`helmholtz` has no Z at all: both its nets are directed, and each learns from samples of the other.

Shared by several systems, without a recipe:

    units    logistic units, their samples and entropies; the gradient of two groups; the settings
             that all systems have, those of chains, and when the long figures are due
    stack    restricted machines one on another, each with its turn: what `dbn` and `dbm` extend
    ais      ln Z, exact and estimated, with the error of the estimate
    *_pictures   filters, samples, chains and reconstructions of the system of that name

A small system of each kind can be compared with an enumeration of all its states: that is how the
tests prove conditionals, gradients and bounds.
"""
