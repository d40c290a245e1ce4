namespace StreamLstm.Tests.Support;

/// <summary>Tests that count what the whole process allocates: beside others they would count theirs.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
