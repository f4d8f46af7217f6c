{
  # The source fallback: node-gyp with g++, make and python3. What is compiled, and with which flags, stands in
  # native/sources.json alone; CMakeLists.txt reads the same file, and CI checks that both builds give the same bits.
  "variables": {
    "setnet_werror%": "<!(node -p \"process.env.SETNET_WERROR === '1' ? 1 : 0\")",
  },
  "targets": [
    {
      "target_name": "setnet",
      "sources": ["<!@(node -p \"require('./native/sources.json').sources.join(' ')\")"],
      "defines": ["<!@(node -p \"require('./native/sources.json').defines.join(' ')\")"],
      "include_dirs": [
        "<!@(node -p \"require('./native/sources.json').includeDirs.join(' ')\")",
        "<!(node -p \"require('node-addon-api').include_dir\")",
      ],
      "cflags_cc": [
        "<!@(node -p \"require('./native/sources.json').cflags.join(' ')\")",
        "<!@(node -p \"require('./native/sources.json').warnings.join(' ')\")",
      ],
      # node-gyp's own flags fight C++17 with exceptions; -O3 is in the list, frame pointers cost a register.
      "cflags!": ["-O3", "-fno-omit-frame-pointer"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20", "-fno-omit-frame-pointer"],
      "conditions": [
        ["setnet_werror==1", {"cflags_cc": ["-Werror"]}],
        ["OS=='linux'", {"ldflags": ["<!@(node -p \"require('./native/sources.json').ldflags.join(' ')\")"]}],
        [
          "OS=='mac'",
          {
            "xcode_settings": {
              "OTHER_CPLUSPLUSFLAGS": [
                "<!@(node -p \"require('./native/sources.json').cflags.join(' ')\")",
              ],
              "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
              "GCC_ENABLE_CPP_EXCEPTIONS": "YES",
              "GCC_ENABLE_CPP_RTTI": "YES",
              "GCC_OPTIMIZATION_LEVEL": "3",
              "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
              "MACOSX_DEPLOYMENT_TARGET": "11.0",
            },
          },
        ],
      ],
    },
  ],
}
