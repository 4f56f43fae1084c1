"""Models of binary units with an energy: Boltzmann machines, and deep nets built from them.

A state s of the units, each 0 or 1, has an energy, and a low energy means a high probability ::

    P(s) = e^{-E(s)}/Z            Z = Σ_s e^{-E(s)}

Some units are visible, v: the pixels of an image. The others, h, are hidden; they make P(v) richer
than the energy alone allows. Z is a sum over all states, which cannot be computed for hundreds of
units. Three things follow:

    training    the gradient of ln P(v) is a mean given the data minus a mean under the model. It
                is not computed by the tape: `train_step` writes it down. It needs samples of the
                model, from Gibbs chains (or, in a Helmholtz machine, from a second net)
    the metric  ln P(v), or a lower bound of it, in nats. It needs ln Z: by enumeration if that is
                possible, otherwise by annealed importance sampling (ais.py). That takes long, so
                it is not computed in every epoch; see the setting `ais_every`
    gradcheck   with fixed samples, the rule is the gradient of a difference of energies; `check`
                returns that difference

The systems differ in which units are connected:

    file                units and connections                         metric          lecture
    rbm                 v and h, no connections within a group        log-likelihood  D1 141-196
    words               the same, a visible unit for each word        log-likelihood  D1 162-191
    replicated_softmax  the same, v counts words: softmax units       perplexity      D1 162-191
    boltzmann           all to all, with or without hidden units      bound           D1 20
    dbm                 layers, all connections undirected            bound           D1 198-207
    dbn                 layers, directed except for the two at the    bound, error    U3 74
                        top
    helmholtz           layers, directed downwards; a second net      bound, nll      D1 20
                        upwards

Read `rbm` first. There the units of one group are independent given the other, so a Gibbs step is
two matrix products, and P(h|v) is exact. `boltzmann` shows what is lost without that: units are
updated one by one, and the mean given the data has to be approximated too, by mean field or by
chains. `dbn` and `dbm` stack restricted machines and train them one after another. In a `dbn` the
lower layers become a directed net; a `dbm` as a whole is one Boltzmann machine, which is then
trained as such. `helmholtz` has no Z: both its nets are directed, and each learns from samples of
the other.

Shared by several systems, without a recipe:

    units    logistic units, their samples and entropies; the gradient of two groups; the settings
             of all systems and of chains, and when the long metrics are due
    stack    restricted machines stacked and trained in turn: what `dbn` and `dbm` extend
    ais      ln Z, exact and estimated, with the error of the estimate
    word_counts  a text as documents, and these as counts of words
    *_pictures   filters, samples, chains and reconstructions of the system of that name

A small system of each kind can be compared with an enumeration of all its states: this is how the
tests verify conditionals, gradients and bounds.
"""
